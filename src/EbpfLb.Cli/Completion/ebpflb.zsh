#compdef ebpflb
# zsh completion for ebpflb: the command itself says what may follow.
_ebpflb() {
    local line="${(j: :)words[1,CURRENT]}"
    local -a candidates
    candidates=("${(@f)$("${words[1]}" "[suggest:${#line}]" "$line" 2>/dev/null)}")
    candidates=(${candidates:#})
    if [[ ${candidates[1]} == *= ]]; then
        compadd -S '' -- "${candidates[@]}"
    elif (( ${#candidates} )); then
        compadd -- "${candidates[@]}"
    else
        _files
    fi
}
if [[ "${funcstack[1]}" == "_ebpflb" ]]; then
    _ebpflb "$@"
else
    compdef _ebpflb ebpflb
fi
