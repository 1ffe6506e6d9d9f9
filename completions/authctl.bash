# Completion of authctl in bash. authctl itself knows the candidates, also those of the database.
_authctl() {
    # Bash splits words at `@`, `:` and `=`. Parts without a blank between them are one word again.
    local rest=$COMP_LINE words=() part trimmed i
    for ((i = 0; i <= COMP_CWORD; i++)); do
        part=${COMP_WORDS[i]}
        trimmed=${rest#"${rest%%[![:blank:]]*}"}
        if ((i > 0)) && [[ $trimmed == "$rest" ]]; then
            words[${#words[@]} - 1]+=$part
        else
            words+=("$part")
        fi
        rest=${trimmed#"$part"}
    done
    local last=$((${#words[@]} - 1))
    local current=${words[last]} candidate
    COMPREPLY=()
    # After `guard --` come a program and its arguments.
    for ((i = 1; i < last; i++)); do
        if [[ ${words[i]} == -- && " ${words[*]:1:i} " == *" guard "* ]]; then
            if ((i + 1 == last)); then
                compopt -o filenames 2> /dev/null
                mapfile -t COMPREPLY < <(compgen -c -- "$current" | sort -u)
            else
                compopt -o filenames 2> /dev/null
                mapfile -t COMPREPLY < <(compgen -f -- "$current")
            fi
            return
        fi
    done
    # What stands before the last separator is on the line already.
    local before=${current%"${current##*[@:=]}"}
    while IFS= read -r candidate; do
        printf -v candidate %q "${candidate#"$before"}"
        COMPREPLY+=("$candidate")
    done < <("${words[0]}" --internal-complete bash -- "${words[@]}" 2> /dev/null)
    if [[ ${#COMPREPLY[@]} == 1 && ${COMPREPLY[0]} == *[/=] ]]; then
        compopt -o nospace 2> /dev/null
    fi
}
complete -F _authctl authctl
