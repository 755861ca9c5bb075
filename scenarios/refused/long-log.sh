# An agent that says a line of 4,001 characters.
read -r hello
printf '{"type": "ready", "version": 1}\n'
read -r question
printf '{"type": "effects", "id": 1, "effects": [{"log": "%04001d"}]}\n' 0
