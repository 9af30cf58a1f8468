#!/bin/sh
# rustc, as cargo calls it (RUSTC_WRAPPER), but with crates for the BPF target named by their names.
#
# Cargo tells each crate who it is by a hash (-C metadata) into which the absolute paths of path
# dependencies go, the standard library's among them. It ends up in symbols, and two checkouts would
# make two objects. All crates of this target have different names, so these are enough.
rustc=$1
shift
case " $* " in
*" --target bpfel-unknown-none "*) ;;
*) exec "$rustc" "$@" ;;
esac
before=
name=
for argument do
    shift
    if [ "$before" = --crate-name ]; then
        name=$argument
    fi
    case $argument in
    metadata=*) [ -z "$name" ] || argument=metadata=$name ;;
    esac
    before=$argument
    set -- "$@" "$argument"
done
exec "$rustc" "$@"
