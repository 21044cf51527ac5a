#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
"""Writes maglev.json: Maglev tables computed independently of the agent, for the tests to compare with.

    ./maglev.py > maglev.json

A table of M slots (M prime) for a list of backends of one protocol:

* The backends take turns in order of (address, port), addresses compared as 16 bytes, IPv4 as ::ffff:a.b.c.d.
* Each hashes to SHA-256(seed, 16 bytes | address, 16 bytes | port, 2 bytes big endian | protocol number, 1 byte).
  offset = the first 8 bytes of the hash, big endian, mod M.  skip = the next 8 bytes, big endian, mod (M - 1), plus 1.
* A backend prefers the slots offset, offset + skip, offset + 2 * skip ... (mod M). In its turn it takes the first of them
  that is free. The table is done when no slot is free.

A table stands in the file as a SHA-256 over its slots, each the backend's number in turn order in 4 bytes big endian, and as
its first 16 slots. Tables of 251 slots are there in full, for whoever has to find out what differs.
"""

import hashlib
import ipaddress
import json
import sys

TCP, UDP = 6, 17
DEFAULT_SEED = b"EbpfLb Maglev v1"
OTHER_SEED = bytes(range(0xF0, 0x100))


def sixteen(address):
    parsed = ipaddress.ip_address(address)
    return (b"\0" * 10 + b"\xff\xff" + parsed.packed) if parsed.version == 4 else parsed.packed


def build(backends, protocol, size, seed):
    ordered = sorted(set((sixteen(address), port) for address, port in backends))
    preferences = []
    for address, port in ordered:
        digest = hashlib.sha256(seed + address + port.to_bytes(2, "big") + bytes([protocol])).digest()
        offset = int.from_bytes(digest[0:8], "big") % size
        skip = int.from_bytes(digest[8:16], "big") % (size - 1) + 1
        preferences.append([(offset + step * skip) % size for step in range(size)])
    table = [None] * size
    position = [0] * len(ordered)
    filled = 0
    while filled < size:
        for turn, preference in enumerate(preferences):
            while table[preference[position[turn]]] is not None:
                position[turn] += 1
            table[preference[position[turn]]] = turn
            filled += 1
            if filled == size:
                break
    return table


def addresses(family, count):
    """Steps that are coprime to the wrap-around scatter the addresses, so that order of input is not turn order."""
    if family == 4:
        return [str(ipaddress.ip_address((10 << 24) + (index * 40503 + 7) % 65536)) for index in range(count)]
    base = int(ipaddress.ip_address("fd00:10:244::"))
    return [str(ipaddress.ip_address(base + (index * 2654435761 + 11) % (1 << 64))) for index in range(count)]


def case(family, protocol, count, size, seed, ports=(8080,)):
    backends = [(address, ports[index % len(ports)]) for index, address in enumerate(addresses(family, count))]
    table = build(backends, protocol, size, seed)
    digest = hashlib.sha256(b"".join(turn.to_bytes(4, "big") for turn in table)).hexdigest()
    result = {
        "family": family,
        "protocol": protocol,
        "size": size,
        "seed": seed.hex(),
        "backends": ["[%s]:%d" % backend if family == 6 else "%s:%d" % backend for backend in backends],
        "sha256": digest,
        "first": table[:16],
    }
    if size <= 251:
        result["table"] = table
    return result


def cases():
    for family in (4, 6):
        for protocol in (TCP, UDP):
            for count, size in ((1, 251), (3, 251), (3, 509), (10, 1021), (10, 16381), (160, 16381)):
                yield case(family, protocol, count, size, DEFAULT_SEED)
    yield case(4, TCP, 10, 1021, OTHER_SEED)
    yield case(6, UDP, 10, 1021, OTHER_SEED)
    yield case(4, TCP, 10, 2039, DEFAULT_SEED, ports=(80, 8080, 65535))
    yield case(4, TCP, 160, 32749, DEFAULT_SEED)
    yield case(4, TCP, 251, 251, DEFAULT_SEED)
    yield case(4, TCP, 300, 251, DEFAULT_SEED)


def main():
    print("[")
    print(",\n".join("  " + json.dumps(item) for item in cases()))
    print("]")


if __name__ == "__main__":
    sys.exit(main())
