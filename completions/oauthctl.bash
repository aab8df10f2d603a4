# Completions of oauthctl for bash 3.2 and later. The program itself says what fits: it reads its configuration, and no token.
# Put this file at ~/.local/share/bash-completion/completions/oauthctl.

_oauthctl() {
    local line=${COMP_LINE:0:COMP_POINT} rest trimmed word about cut i
    local -a words
    # bash takes words apart at `=`, `:` and `@`: what stands without a blank between belongs together
    rest=$line
    for ((i = 0; i <= COMP_CWORD; i++)); do
        word=${COMP_WORDS[i]}
        trimmed=${rest#"${rest%%[![:space:]]*}"}
        [ "$i" -eq "$COMP_CWORD" ] && word=$trimmed
        if [ "$i" -gt 0 ] && [ "$rest" = "$trimmed" ]; then
            words[${#words[@]} - 1]+=$word
        else
            words+=("$word")
        fi
        rest=${trimmed#"$word"}
    done
    local last=$((${#words[@]} - 1))
    local raw=${words[last]}
    words=("${words[@]//[\"\'\\]/}")
    word=${words[last]}
    # what readline keeps of a word without quotes; an `@` belongs to what comes after it
    rest=${word##*["${COMP_WORDBREAKS//@/}"]}
    [ "${COMP_WORDBREAKS//@/}" = "$COMP_WORDBREAKS" ] || [ "${rest//@/}" = "$rest" ] || rest=@${rest##*@}
    cut=
    case $raw in
        [\"\']*) ;;
        *) cut=${word%"$rest"} ;;
    esac

    local typed=$word found
    COMPREPLY=()
    while IFS=$'\t' read -r word about; do
        case $word in
            :files)
                # after an `@` readline would take the name for a host's
                [ "${about%@}" = "$about" ] && compopt -o filenames 2> /dev/null
                while IFS= read -r found; do
                    if [ "${about%@}" != "$about" ]; then
                        [ -d "$found" ] && found=$found/ && compopt -o nospace 2> /dev/null
                        printf -v found %q "$found"
                    fi
                    found=$about$found
                    COMPREPLY+=("${found#"$cut"}")
                done < <(compgen -f -- "${typed#"$about"}")
                ;;
            :commands)
                while IFS= read -r found; do COMPREPLY+=("$found"); done < <(compgen -c -- "$typed" | sort -u)
                ;;
            *)
                [ "${word%[=.]}" = "$word" ] || compopt -o nospace 2> /dev/null
                word=${word#"$cut"}
                case $raw in
                    [\"\']*) ;;
                    *) printf -v word %q "$word" ;;
                esac
                COMPREPLY+=("$word")
                ;;
        esac
    done < <("$(type -P -- "${words[0]}" || echo oauthctl)" complete --word="$typed" -- "${words[@]:1:last-1}" 2> /dev/null)
}

complete -F _oauthctl oauthctl
