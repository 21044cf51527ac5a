#compdef ebpflb
# zsh completion for ebpflb: the command itself says what may follow.
_ebpflb() {
    local -a candidates
    candidates=("${(@f)$("${words[1]}" "[suggest:${CURSOR}]" "${BUFFER}" 2>/dev/null)}")
    candidates=(${candidates:#})
    if (( ${#candidates} )); then
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
