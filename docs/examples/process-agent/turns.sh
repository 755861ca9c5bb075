#!/bin/sh
# Buys and sells in turns. Nothing but a shell: questions are counted, and what they tell is not looked at.
read -r hello
echo '{"type": "ready", "version": 1}'
id=0 action=SELL
while read -r question; do
    id=$((id + 1))
    case $action in BUY) action=SELL ;; *) action=BUY ;; esac
    publish="{\"publish\": {\"action\": \"$action\", \"confidence\": 0.8}}"
    echo "{\"type\": \"effects\", \"id\": $id, \"effects\": [$publish]}"
done
