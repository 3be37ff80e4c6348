# SPDX-License-Identifier: GPL-2.0
# Completion of lbadm for fish. lbadm itself lists the possible next words.

function __lbadm_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -lx PATH $PATH /usr/sbin /sbin
    for line in ($words[1] __complete $words[2..-1] "$current" 2>/dev/null)
        if string match -q ':files*' -- $line
            __fish_complete_path "$current"
        else
            echo $line
        end
    end
end

complete -c lbadm -f -a '(__lbadm_complete)'
