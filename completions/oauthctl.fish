# Completions of oauthctl for fish. The program itself says what fits: it reads its configuration, and no token.
# Put this file at ~/.config/fish/completions/oauthctl.fish.

function __oauthctl_complete
    set -l before (commandline -opc)
    set -l typed (commandline -ct)
    # as it is meant, without its quotes: one may be open yet
    for end in '' '"' "'"
        if set -l meant (string unescape -- "$typed$end")
            set typed $meant
            break
        end
    end
    set -l program $before[1]
    set -e before[1]
    command -q $program; or set program oauthctl
    for line in (command $program complete --word="$typed" -- $before 2>/dev/null)
        set -l cells (string split \t -- $line)
        switch $cells[1]
            case ':files'
                set -l begin $cells[2]
                for path in (__fish_complete_path (string sub -s (math (string length -- "$begin") + 1) -- $typed))
                    echo $begin$path
                end
            case ':commands'
                __fish_complete_command
            case '*'
                echo $line
        end
    end
end

complete -c oauthctl -f -a '(__oauthctl_complete)'
