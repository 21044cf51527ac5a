# fish completion for ebpflb: the command itself says what may follow.
function __ebpflb_suggest
    set -l line (commandline --cut-at-cursor --current-process | string collect)
    ebpflb "[suggest:"(string length -- "$line")"]" "$line" 2>/dev/null | string match --regex '.+'
end
complete --command ebpflb --arguments '(__ebpflb_suggest)'
