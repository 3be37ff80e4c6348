# SPDX-License-Identifier: GPL-2.0
"""dkms/module-btf: a module gets exactly its kernel's BTF, or none, and no build fails.

Needs the modules that `scripts/dkms.sh build` leaves in tests/out/dkms.
"""
import glob
import hashlib
import os
import shutil
import subprocess
import tempfile

import pytest

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SCRIPT = os.path.join(TOP, "dkms/module-btf")
WORK = tempfile.mkdtemp(prefix="nflb-btf-")


@pytest.fixture(scope="module", autouse=True)
def no_traces():
    yield
    shutil.rmtree(WORK)


def headers(series):
    """The directory that scripts/build-module.sh builds with."""
    found = glob.glob("/usr/src/linux-headers-%s.*-amd64" % series)
    found = [path for path in found if "-cloud-" not in path]
    version = ["sort", "-V"]
    return subprocess.run(version, input="\n".join(found), stdout=subprocess.PIPE,
                          text=True, check=True).stdout.split()[-1]


def image(series):
    return "/boot/vmlinuz-" + os.path.basename(headers(series)).replace("linux-headers-", "")


def run(verb, *args, **env):
    """The exit status, and what it said."""
    done = subprocess.run(["sh", SCRIPT, verb, *args], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True,
                          env={**os.environ, **env}, check=False)
    return done.returncode, done.stdout


def built(series):
    return os.path.join(TOP, "tests/out/dkms", series, "nflb.ko")


def without_btf(series):
    """A copy of the module, as a kernel's build without BTF leaves it."""
    copy = os.path.join(WORK, "nflb.ko")
    ids = os.path.join(WORK, "ids")
    subprocess.run(["objcopy", "--dump-section", ".BTF_ids=" + ids, built(series),
                    os.path.join(WORK, "unused")], check=True)
    with open(ids, "r+b") as f:
        f.truncate(8)
        f.truncate(16)
    subprocess.run(["objcopy", "-R", ".BTF", "-R", ".BTF.base", "--update-section",
                    ".BTF_ids=" + ids, built(series), copy], check=True)
    return copy


def fake_headers(series, *missing):
    """A directory like that of the headers, where some things are missing."""
    fake = os.path.join(WORK, "headers")
    shutil.rmtree(fake, ignore_errors=True)
    os.mkdir(fake)
    for name in os.listdir(headers(series)):
        if name not in missing:
            os.symlink(os.path.join(headers(series), name), os.path.join(fake, name))
    return fake


def digest(path):
    with open(path, "rb") as f:
        return hashlib.sha256(f.read()).hexdigest()


def assert_untouched(kdir, module, *words, **env):
    """`add` leaves the module alone, says so in one line, and does not fail."""
    before = digest(module)
    status, said = run("add", kdir, module, **env)
    assert status == 0, "exit status %d: %s" % (status, said)
    assert digest(module) == before, "the module has changed"
    assert said.count("\n") == 1 and "XDP is not available for this build" in said, said
    for word in words:
        assert word in said, "no %r in: %s" % (word, said)
    left = [name for name in os.listdir(os.path.dirname(module)) if name.startswith("nflb.ko.")]
    assert not left, "left behind: %s" % left


def check(series, module):
    status, said = run("check", headers(series), module)
    assert status == 0, said


def test_dkms_adds_btf_on_6_1():
    check("6.1", built("6.1"))


def test_dkms_adds_btf_on_6_12():
    check("6.12", built("6.12"))


def test_a_module_without_btf_fails_the_check():
    status, said = run("check", headers("6.1"), without_btf("6.1"))
    assert status == 1 and "has no BTF" in said, said


def test_btf_is_added_to_a_module_without_it():
    for series in "6.1", "6.12":
        module = without_btf(series)
        status, said = run("add", headers(series), module)
        assert status == 0 and not said, said
        check(series, module)


def test_adding_again_changes_nothing():
    for series in "6.1", "6.12":
        module = without_btf(series)
        run("add", headers(series), module)
        before = digest(module)
        status, said = run("add", headers(series), module)
        assert status == 0 and not said, said
        assert digest(module) == before


def test_stripping_keeps_btf():
    for series in "6.1", "6.12":
        module = without_btf(series)
        run("add", headers(series), module)
        subprocess.run(["strip", "-g", module], check=True)
        check(series, module)


def test_an_image_that_is_not_installed_will_do():
    copy = os.path.join(WORK, "image")
    shutil.copy(image("6.1"), copy)
    module = without_btf("6.1")
    status, said = run("add", headers("6.1"), module, NFLB_KERNEL_IMAGE=copy)
    assert status == 0 and not said, said
    check("6.1", module)


def test_btf_with_numbers_of_another_kernel_is_replaced():
    module = without_btf("6.1")
    tool = os.path.join(WORK, "mkbtf")
    subprocess.run(["cc", "-o", tool, os.path.join(TOP, "dkms/mkbtf.c"), "-lbpf", "-lelf"],
                   check=True)
    subprocess.run([tool, module, os.path.join(headers("6.12"), "vmlinux")], check=True)
    subprocess.run(["objcopy", "--add-section", ".BTF=%s.btf" % module, module], check=True)
    os.remove(module + ".btf")
    status, _ = run("check", headers("6.1"), module)
    assert status == 1, "BTF of 6.12 passes as that of 6.1"
    status, said = run("add", headers("6.1"), module)
    assert status == 0 and not said, said
    check("6.1", module)


def test_the_image_of_another_kernel_is_refused():
    assert_untouched(headers("6.1"), without_btf("6.1"), "is not the kernel of these headers",
                     NFLB_KERNEL_IMAGE=image("6.12"))


def test_another_build_of_the_same_release_is_refused():
    kdir = fake_headers("6.1", "include")
    shutil.copytree(os.path.join(headers("6.1"), "include"), os.path.join(kdir, "include"))
    path = os.path.join(kdir, "include/generated/utsversion.h")
    with open(path, "w", encoding="ascii") as f:
        f.write('#define UTS_VERSION "#1 SMP PREEMPT_DYNAMIC Debian 6.1.1-1 (2026-01-01)"\n')
    assert_untouched(kdir, without_btf("6.1"), "is not the kernel of these headers")


def test_btf_that_cannot_be_checked_is_dropped():
    module = without_btf("6.1")
    run("add", headers("6.1"), module)
    status, said = run("add", headers("6.1"), module, NFLB_KERNEL_IMAGE=image("6.12"))
    assert status == 0 and "XDP is not available" in said, said
    status, said = run("check", headers("6.1"), module)
    assert status == 1 and "has no BTF" in said, said


def test_no_image_is_no_failure():
    assert_untouched(headers("6.1"), without_btf("6.1"), "cannot read /nonexistent",
                     NFLB_KERNEL_IMAGE="/nonexistent")


def test_a_broken_image_is_no_failure():
    broken = os.path.join(WORK, "broken")
    with open(image("6.1"), "rb") as whole, open(broken, "wb") as f:
        f.write(whole.read(4 << 20))
    assert_untouched(headers("6.1"), without_btf("6.1"), "cannot unpack", NFLB_KERNEL_IMAGE=broken)
    with open(broken, "wb") as f:
        f.write(b"no kernel")
    assert_untouched(headers("6.1"), without_btf("6.1"), "cannot tell how", NFLB_KERNEL_IMAGE=broken)


def test_6_12_needs_nothing_of_the_kernel():
    module = without_btf("6.12")
    status, said = run("add", fake_headers("6.12", "vmlinux"), module, NFLB_KERNEL_IMAGE="/nonexistent")
    assert status == 0 and not said, said
    check("6.12", module)


def test_no_compiler_is_no_failure():
    assert_untouched(headers("6.1"), without_btf("6.1"), "install gcc, libbpf-dev and libelf-dev",
                     HOSTCC="/nonexistent")
    assert_untouched(headers("6.1"), without_btf("6.1"), "missing.h", "install gcc, libbpf-dev",
                     HOSTCC="cc -include missing.h")


def test_no_objcopy_is_no_failure():
    assert_untouched(headers("6.1"), without_btf("6.1"), "objcopy", OBJCOPY="/nonexistent/objcopy")


def test_a_signed_module_is_left_alone():
    module = without_btf("6.1")
    with open(module, "ab") as f:
        f.write(b"~Module signature appended~\n")
    assert_untouched(headers("6.1"), module, "signed")


def test_a_kernel_without_btf_is_no_failure():
    kdir = fake_headers("6.1", "include")
    shutil.copytree(os.path.join(headers("6.1"), "include"), os.path.join(kdir, "include"))
    open(os.path.join(kdir, "include/config/auto.conf"), "w", encoding="ascii").close()
    assert_untouched(kdir, without_btf("6.1"), "CONFIG_DEBUG_INFO_BTF_MODULES")


def test_kbuild_makes_no_btf_without_its_tools():
    assert run("flags", headers("6.1")) == (0, "")
    assert run("flags", headers("6.12")) == (0, "")
    off = (0, "CONFIG_DEBUG_INFO_BTF_MODULES=\n")
    assert run("flags", fake_headers("6.12", "tools")) == off
    assert run("flags", headers("6.12"), PAHOLE="/nonexistent") == off
