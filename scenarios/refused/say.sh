# An agent that is told of the run what it should be, and gives the same effects whenever it is asked: those of its first argument.
read -r hello
case "$hello" in
    *'"symbols":["BTC/USDT","XRP/USDT"]'*'"start":"2025-01-06T00:00:00.000000+00:00"'*) ;;
    *'"start":"2025-01-06T00:00:00.000000+00:00"'*'"symbols":["BTC/USDT","XRP/USDT"]'*) ;;
    *) echo "not what is told of the run: $hello" >&2; exit 4 ;;
esac
printf '{"type": "ready", "version": 1}\n'
id=0
while read -r question; do
    id=$((id + 1))
    printf '{"type": "effects", "id": %d, "effects": %s}\n' "$id" "$1"
done
