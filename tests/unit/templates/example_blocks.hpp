// The worked examples of a Markdown page: fenced blocks by their info string.
#pragma once

#include <fstream>
#include <string>
#include <vector>

struct FencedBlock {
  std::string info, text;
  int line = 0;
};

inline std::vector<FencedBlock> fenced_blocks(const std::string& path) {
  std::ifstream in(path);
  std::vector<FencedBlock> blocks;
  bool open = false;
  int number = 0;
  for (std::string line; std::getline(in, line);) {
    ++number;
    if (line.starts_with("```")) {
      if (!open) blocks.push_back({line.substr(3), "", number});
      open = !open;
    } else if (open) {
      blocks.back().text += line + "\n";
    }
  }
  return blocks;
}
