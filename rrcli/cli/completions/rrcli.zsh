#compdef rrcli
# rrcli for zsh: rrcli completion zsh > "${fpath[1]}/_rrcli"
_rrcli_completion() {
    local -a found described plain
    local kind value help
    (( $+commands[rrcli] )) || return 1
    found=("${(@f)$(COMP_WORDS="${words[1,CURRENT]}" COMP_CWORD=$((CURRENT - 1)) \
        _RRCLI_COMPLETE=zsh_complete rrcli 2>/dev/null)}")
    for kind value help in "${found[@]}"; do
        case $kind in
            dir) _path_files -/ ;;
            file) _path_files -f ;;
            plain) if [[ $help == _ ]]; then plain+=("$value"); else described+=("$value:$help"); fi ;;
        esac
    done
    (( $#described )) && _describe -V unsorted described -U
    (( $#plain )) && compadd -U -V unsorted -a plain
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
    _rrcli_completion "$@"
else
    compdef _rrcli_completion rrcli
fi
