# SPDX-License-Identifier: GPL-2.0
"""A hook of mkdocs: the site has CHANGELOG.md, too, which is not in docs/."""
import os

from mkdocs.structure.files import File


def on_files(files, config):
    """Add the page to those of docs_dir."""
    top = os.path.dirname(config["config_file_path"])
    files.append(File("CHANGELOG.md", top, config["site_dir"], config["use_directory_urls"]))
    return files
