# An agent that gives the same effects whenever it is asked: those of its first argument.
read -r hello
printf '{"type": "ready", "version": 1}\n'
id=0
while read -r question; do
    id=$((id + 1))
    printf '{"type": "effects", "id": %d, "effects": %s}\n' "$id" "$1"
done
