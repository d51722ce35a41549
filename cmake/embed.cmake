# Writes OUT: the text of FILES (relative to ROOT) as a table that templates/files.cpp reads.
set(text "#include \"templates/files.hpp\"\n\nnamespace litedesk::templates {\n\nconst EmbeddedFile embedded_files[] = {\n")
string(REPLACE " " ";" FILES "${FILES}")
set(count 0)
foreach(file IN LISTS FILES)
  file(READ "${ROOT}/${file}" content)
  # A raw string literal may not pass 64 KiB everywhere: these files are far smaller.
  string(APPEND text "    {\"${file}\", R\"~yaml~(${content})~yaml~\"},\n")
  math(EXPR count "${count} + 1")
endforeach()
string(APPEND text "};\n\nconst unsigned long embedded_file_count = ${count};\n\n}  // namespace litedesk::templates\n")
file(WRITE "${OUT}" "${text}")
