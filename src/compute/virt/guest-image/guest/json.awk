# Flattens a JSON document into lines "path<TAB>value", such as "public_keys.mykey<TAB>ssh-ed25519 ...".
{ text = text $0 " " }
END { size = length(text); at = 1; item("") }

# Steps over what separates; true while the list or object goes on.
function more(ending) {
  while (at <= size && substr(text, at, 1) ~ /[ \t\r,:]/) at++
  return at <= size && substr(text, at, 1) != ending
}

function item(path,    first, count, key, value) {
  more("")
  first = substr(text, at, 1)
  if (first == "{") {
    at++
    while (more("}")) {
      key = quoted()
      item(path == "" ? key : path "." key)
    }
    at++
  } else if (first == "[") {
    at++
    while (more("]")) item(path "." count++)
    at++
  } else if (first == "\"") {
    value = quoted()
    sub(/ +$/, "", value)
    print path "\t" value
  } else {
    value = substr(text, at)
    sub(/[],} ].*/, "", value)
    print path "\t" value
    at += length(value) + (value == "")
  }
}

# A string; what would break a line becomes a blank.
function quoted(    value, letter) {
  for (at++; at <= size; at++) {
    letter = substr(text, at, 1)
    if (letter == "\"") break
    if (letter == "\\") {
      letter = substr(text, ++at, 1)
      if (letter ~ /[bfnrt]/) letter = " "
      else if (letter == "u") { letter = "?"; at += 4 }
    }
    value = value letter
  }
  at++
  return value
}
