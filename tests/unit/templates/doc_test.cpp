#include <map>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "providers/error.hpp"
#include "templates/renderer.hpp"
#include "tests/unit/templates/example_blocks.hpp"

using namespace litedesk;
using namespace litedesk::templates;

namespace {

constexpr const char* directives[] = {"$if", "$for", "$merge"};

}  // namespace

TEST_CASE("every example of docs/templates.md gives what the page says") {
  const auto blocks = fenced_blocks(std::string(LITEDESK_SOURCE_DIR) + "/docs/templates.md");
  Json variables;
  std::map<std::string, int> examples;
  int failures_shown = 0;
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    const auto& block = blocks[i];
    INFO("docs/templates.md:" << block.line);
    if (block.info == "yaml variables") variables = parse_yaml(block.text, "variables");
    if (block.info != "yaml template") continue;
    REQUIRE(i + 1 < blocks.size());
    const auto& answer = blocks[i + 1];
    const File file{"example.yaml", "example.yaml", block.text};
    if (answer.info == "yaml gives") {
      CHECK(Json(render(file, variables)) == Json(parse_yaml_documents(answer.text, "answer")));
      for (const auto* key : directives) examples[key] += block.text.find(std::string(key) + ":") != std::string::npos;
    } else {
      REQUIRE(answer.info == "text error");
      std::string message;
      try {
        static_cast<void>(render(file, variables));
      } catch (const ValidationError& error) {
        message = error.message();
      }
      CHECK(message + "\n" == answer.text);
      ++failures_shown;
    }
  }
  for (const auto* key : directives) {
    CAPTURE(key);
    CHECK(examples[key] >= 3);
  }
  CHECK(failures_shown >= 3);
}
