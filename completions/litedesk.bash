# bash completion for litedesk: source <(litedesk completion bash)

_litedesk() {
  local IFS=$'\n' line directive='' word
  local -a words=("${COMP_WORDS[@]:1:COMP_CWORD}")
  local i
  COMPREPLY=()
  # bash parts words at "=" and ":" (COMP_WORDBREAKS); litedesk gets them whole, and only what is behind the last break is
  # put back.
  local current="${COMP_LINE:0:COMP_POINT}" full
  full="${current##*[[:space:]]}"
  local cut=''
  if [[ $full == *[:=]* && ${words[-1]} != "$full" ]]; then
    local -a joined=()
    local glue=''
    for ((i = 1; i <= COMP_CWORD; i++)); do
      word="${COMP_WORDS[i]}"
      if [[ $word == [:=] || -n $glue ]] && ((${#joined[@]})); then
        joined[-1]+="$word"
        glue=''
        [[ $word == [:=] ]] && glue=1
      else
        joined+=("$word")
      fi
    done
    words=("${joined[@]}")
    words[-1]="$full"
    cut="${full%"${COMP_WORDS[COMP_CWORD]#[:=]}"}"
  fi
  while read -r line; do
    case $line in
      :none* | :files* | :folders*) directive=$line ;;
      *) COMPREPLY+=("${line%%$'\t'*}") ;;
    esac
  done < <("${COMP_WORDS[0]}" __complete -- "${words[@]}" 2>/dev/null)
  if [[ -n $cut ]]; then
    COMPREPLY=("${COMPREPLY[@]#"$cut"}")
  fi
  # A name is somebody's: whatever is in it, it is one word of the line.
  for i in "${!COMPREPLY[@]}"; do printf -v "COMPREPLY[i]" %q "${COMPREPLY[i]}"; done
  case $directive in
    :files*)
      compopt -o filenames 2>/dev/null
      while read -r line; do COMPREPLY+=("$line"); done < <(compgen -f -- "${COMP_WORDS[COMP_CWORD]#=}")
      ;;
    :folders*)
      compopt -o filenames 2>/dev/null
      while read -r line; do COMPREPLY+=("$line"); done < <(compgen -d -- "${COMP_WORDS[COMP_CWORD]#=}")
      ;;
  esac
  [[ $directive == *,nospace ]] && compopt -o nospace 2>/dev/null
  return 0
}

complete -F _litedesk litedesk
