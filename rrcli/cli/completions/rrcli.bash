# rrcli for bash 4.4 and later: rrcli completion bash > ~/.local/share/bash-completion/completions/rrcli
_rrcli_completion() {
    local line=${COMP_LINE:0:COMP_POINT} current=${COMP_WORDS[COMP_CWORD]} type value word
    # What readline takes for a word begins anew behind a colon; the command is told the whole line.
    local whole=${line##*[[:space:]]} before=
    [[ $COMP_WORDBREAKS == *:* && $whole == *:* ]] && before=${whole%"${whole##*:}"}
    COMPREPLY=()
    while IFS=, read -r type value; do
        case $type in
            dir) compopt -o dirnames ;;
            file) compopt -o default ;;
            plain)
                if [[ $current == [\"\']* ]]; then word=$value; else printf -v word %q "$value"; fi
                word=${word//\\,/,}
                COMPREPLY+=("${word#"$before"}")
                ;;
        esac
    done < <(COMP_WORDS=$line _RRCLI_COMPLETE=bash_complete "$1" 2>/dev/null)
}
complete -o nosort -F _rrcli_completion rrcli
