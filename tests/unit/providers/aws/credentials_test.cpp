#include "providers/aws/credentials.hpp"

#include <filesystem>
#include <fstream>
#include <functional>

#include <doctest/doctest.h>
#include <unistd.h>

#include "providers/aws/ini.hpp"
#include "providers/error.hpp"

using namespace litedesk;
namespace fs = std::filesystem;

namespace {

// A home folder with the two files.
class Home {
 public:
  Home(const std::string& config, const std::string& credentials) {
    std::string form = (fs::temp_directory_path() / "litedesk-aws-XXXXXX").string();
    REQUIRE(mkdtemp(form.data()) != nullptr);
    folder_ = form;
    fs::create_directory(folder_ / ".aws");
    if (!config.empty()) std::ofstream(folder_ / ".aws" / "config") << config;
    if (!credentials.empty()) std::ofstream(folder_ / ".aws" / "credentials") << credentials;
  }
  ~Home() {
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
  }
  [[nodiscard]] aws::Environment with(aws::Environment environment = {}) const {
    environment["HOME"] = folder_.string();
    return environment;
  }
  [[nodiscard]] fs::path path() const { return folder_; }

 private:
  fs::path folder_;
};

std::string message_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const AuthError& error) {
    return error.message() + " | " + error.hint();
  }
  return "(no AuthError)";
}

}  // namespace

TEST_CASE("the environment's keys come first, an empty variable counting as unset") {
  const Home home("", "[default]\naws_access_key_id = FILE\naws_secret_access_key = file-secret\n");
  const auto keys = aws::load_credentials(home.with(
      {{"AWS_ACCESS_KEY_ID", "ENV"}, {"AWS_SECRET_ACCESS_KEY", "env-secret"}, {"AWS_SESSION_TOKEN", "token"}}));
  CHECK(keys.access_key_id == "ENV");
  CHECK(keys.secret_access_key == Secret("env-secret"));
  CHECK(keys.session_token == Secret("token"));
  CHECK(keys.origin == "environment");

  const auto older = aws::load_credentials(home.with({{"AWS_ACCESS_KEY_ID", "ENV"},
                                                      {"AWS_SECRET_ACCESS_KEY", "s"},
                                                      {"AWS_SESSION_TOKEN", ""},
                                                      {"AWS_SECURITY_TOKEN", "old"}}));
  CHECK(older.session_token == Secret("old"));

  const auto empty = aws::load_credentials(home.with({{"AWS_ACCESS_KEY_ID", ""}, {"AWS_PROFILE", ""}}));
  CHECK(empty.access_key_id == "FILE");
  CHECK(empty.origin == "profile default (~/.aws/credentials)");
}

TEST_CASE(
    "AWS_PROFILE chooses among profiles and leaves the environment's keys on; a profile asked for turns them off") {
  const Home home("", "[dev]\naws_access_key_id = DEV\naws_secret_access_key = s\n");
  const auto environment =
      home.with({{"AWS_ACCESS_KEY_ID", "ENV"}, {"AWS_SECRET_ACCESS_KEY", "s"}, {"AWS_PROFILE", "dev"}});
  CHECK(aws::load_credentials(environment).access_key_id == "ENV");
  CHECK(aws::load_credentials(environment, "dev").access_key_id == "DEV");
  CHECK(aws::load_credentials(home.with({{"AWS_PROFILE", "dev"}})).access_key_id == "DEV");
  CHECK(aws::load_credentials(home.with({{"AWS_DEFAULT_PROFILE", "dev"}, {"AWS_PROFILE", "other"}})).access_key_id ==
        "DEV");
}

TEST_CASE("profiles are read from both files, with quotes, comments, blanks, and the credentials file's keys winning") {
  const Home home(
      "# people's settings\r\n"
      "[default]\r\nregion = eu-west-1 ; where we are\r\n"
      "[profile \"my team\"]\n"
      "  ; the indented form\n"
      "  aws_access_key_id=CONFIG\n"
      "  aws_secret_access_key = abc#def;ghi=\n"
      "[ profile both ]\n"
      "aws_access_key_id = CONFIG\naws_secret_access_key = s1\nAWS_SESSION_TOKEN = t\n",
      "[both]   # the same profile\naws_access_key_id = CREDENTIALS\naws_secret_access_key = s2\n");
  const auto team = aws::load_credentials(home.with({{"AWS_PROFILE", "my team"}}));
  CHECK(team.access_key_id == "CONFIG");
  CHECK(team.secret_access_key == Secret("abc#def;ghi="));
  CHECK(team.origin == "profile my team (~/.aws/config)");
  const auto both = aws::load_credentials(home.with({{"AWS_PROFILE", "both"}}));
  CHECK(both.access_key_id == "CREDENTIALS");
  CHECK(both.secret_access_key == Secret("s2"));
  CHECK(both.session_token.empty());
  CHECK(aws::load_config(home.with()).region == "eu-west-1");
}

TEST_CASE("the files' places can be named") {
  const Home home("[default]\nregion = eu-west-1\n", "");
  std::ofstream(home.path() / "keys") << "[default]\naws_access_key_id = ELSEWHERE\naws_secret_access_key = s\n";
  std::ofstream(home.path() / "settings") << "[default]\nregion = ca-central-1\n";
  const auto environment =
      home.with({{"AWS_SHARED_CREDENTIALS_FILE", "~/keys"}, {"AWS_CONFIG_FILE", (home.path() / "settings").string()}});
  CHECK(aws::load_credentials(environment).access_key_id == "ELSEWHERE");
  CHECK(aws::load_config(environment).region == "ca-central-1");
}

TEST_CASE("[profile default] of the config file wins over [default]") {
  const Home home("[default]\nregion = a\n[profile default]\nregion = b\n", "");
  CHECK(aws::load_config(home.with()).region == "b");
}

TEST_CASE("what is missing or not supported is said with its name, and no secret") {
  struct Case {
    const char* config;
    const char* credentials;
    aws::Environment environment;
    const char* expected;
  };
  const Case cases[] = {
      {"",
       "",
       {},
       "no AWS credentials found: looked for AWS_ACCESS_KEY_ID, and keys of profile default in ~/.aws/credentials"},
      {"", "", {{"AWS_ACCESS_KEY_ID", "A"}}, "AWS_SECRET_ACCESS_KEY is not"},
      {"", "[default]\naws_access_key_id = A\n", {}, "aws_access_key_id without aws_secret_access_key"},
      {"", "[default]\naws_secret_access_key = hush\n", {}, "aws_secret_access_key without aws_access_key_id"},
      {"", "", {{"AWS_PROFILE", "gone"}}, "AWS profile gone not found"},
      {"[profile p]\ncredential_process = /bin/keys\n", "", {{"AWS_PROFILE", "p"}}, "use credential_process"},
      {"[profile p]\nsso_session = corp\n",
       "[p]\naws_access_key_id = A\naws_secret_access_key = hush\n",
       {{"AWS_PROFILE", "p"}},
       "use sso_session"},
      {"[profile p]\nrole_arn = arn:aws:iam::1:role/x\nsource_profile = q\n",
       "",
       {{"AWS_PROFILE", "p"}},
       "use role_arn with source_profile"},
      {"", "", {{"AWS_WEB_IDENTITY_TOKEN_FILE", "/t"}, {"AWS_ROLE_ARN", "arn"}}, "use AWS_WEB_IDENTITY_TOKEN_FILE"},
      {"", "", {{"AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://x"}}, "use AWS_CONTAINER_CREDENTIALS_FULL_URI"},
      {"[default]\nno equals sign\n", "", {}, ".aws/config, line 2: neither a section nor key = value"},
      {"", "key = value\n", {}, "line 1: a key before the first [section]"},
      {"[default\n", "", {}, "line 1: an unclosed [section]"},
  };
  for (const auto& c : cases) {
    const Home home(c.config, c.credentials);
    const auto message = message_of([&] { static_cast<void>(aws::load_credentials(home.with(c.environment))); });
    CAPTURE(message);
    CHECK(message.find(c.expected) != std::string::npos);
    CHECK(message.find("hush") == std::string::npos);
  }
}

TEST_CASE("keys of the credentials file come before credential_process, those of the config file after it") {
  const std::string keys = "aws_access_key_id = A\naws_secret_access_key = s\n";
  const Home credentials("[default]\ncredential_process = /bin/x\n", "[default]\n" + keys);
  CHECK(aws::load_credentials(credentials.with()).access_key_id == "A");
  const Home config("[default]\ncredential_process = /bin/x\n" + keys, "");
  CHECK_THROWS_AS(static_cast<void>(aws::load_credentials(config.with())), AuthError);
}

TEST_CASE("the endpoint comes from the most particular setting") {
  const std::string config =
      "[default]\nendpoint_url = http://127.0.0.1:1/\n"
      "[profile s]\nservices = local\nendpoint_url = http://127.0.0.1:2\n"
      "[profile t]\nservices = other\nendpoint_url = http://127.0.0.1:2\n"
      "[profile off]\nignore_configured_endpoint_urls = true\nendpoint_url = http://127.0.0.1:2\n"
      "[services local]\nroute_53 =\n  endpoint_url = http://127.0.0.1:3 # ours\ns3 =\n  endpoint_url = "
      "http://127.0.0.1:9\n"
      "[services other]\ns3 =\n  endpoint_url = http://127.0.0.1:9\n";
  struct Case {
    aws::Environment environment;
    const char* expected;
  };
  const Case cases[] = {
      {{}, "http://127.0.0.1:1"},
      {{{"AWS_PROFILE", "s"}}, "http://127.0.0.1:3"},
      {{{"AWS_PROFILE", "t"}}, "http://127.0.0.1:2"},
      {{{"AWS_PROFILE", "off"}}, "https://route53.amazonaws.com"},
      {{{"AWS_PROFILE", "s"}, {"AWS_ENDPOINT_URL", "http://127.0.0.1:4"}}, "http://127.0.0.1:4"},
      {{{"AWS_ENDPOINT_URL_ROUTE_53", "http://127.0.0.1:5"}, {"AWS_ENDPOINT_URL", "http://127.0.0.1:4"}},
       "http://127.0.0.1:5"},
      {{{"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true"}, {"AWS_ENDPOINT_URL", "http://127.0.0.1:4"}},
       "https://route53.amazonaws.com"},
  };
  const Home home(config, "");
  for (const auto& c : cases) {
    CAPTURE(c.expected);
    CHECK(aws::load_config(home.with(c.environment)).route53_endpoint == c.expected);
  }
  CHECK_THROWS_AS(static_cast<void>(aws::load_config(home.with({{"AWS_ENDPOINT_URL", "localhost:4566"}}))), UsageError);
}

TEST_CASE("an endpoint by plain http is this machine's or none") {
  const Home home("", "");
  for (const auto* url : {"http://127.0.0.1.evil.example", "http://localhost@evil.example", "http://10.0.0.1:4566"}) {
    CAPTURE(url);
    CHECK_THROWS_AS(static_cast<void>(aws::load_config(home.with({{"AWS_ENDPOINT_URL", url}}))), UsageError);
  }
  CHECK(aws::load_config(home.with({{"AWS_ENDPOINT_URL", "http://localhost:1"}})).route53_endpoint ==
        "http://localhost:1");
}

TEST_CASE("the region decides the partition's endpoint and the region that is signed for") {
  struct Case {
    const char* region;
    const char* endpoint;
    const char* signed_for;
  };
  const Home home("", "");
  for (const auto& c : {Case{"", "https://route53.amazonaws.com", "us-east-1"},
                        Case{"eu-west-1", "https://route53.amazonaws.com", "us-east-1"},
                        Case{"cn-north-1", "https://route53.amazonaws.com.cn", "cn-northwest-1"},
                        Case{"us-gov-east-1", "https://route53.us-gov.amazonaws.com", "us-gov-west-1"}}) {
    const auto config = aws::load_config(home.with({{"AWS_REGION", c.region}}));
    CHECK(config.region == (*c.region != 0 ? c.region : "us-east-1"));
    CHECK(config.route53_endpoint == c.endpoint);
    CHECK(config.route53_region == c.signed_for);
  }
  CHECK(aws::load_config(home.with({{"AWS_DEFAULT_REGION", "eu-west-3"}})).region == "eu-west-3");
  CHECK(aws::load_config(home.with({{"AWS_REGION", "eu-west-1"}, {"AWS_DEFAULT_REGION", "eu-west-3"}})).region ==
        "eu-west-1");
}

TEST_CASE("the authorities' file comes from the environment, then the profile") {
  const Home home("[default]\nca_bundle = /etc/ca.pem\n", "");
  CHECK(aws::load_config(home.with()).ca_bundle == "/etc/ca.pem");
  CHECK(aws::load_config(home.with({{"AWS_CA_BUNDLE", "/x.pem"}})).ca_bundle == "/x.pem");
}

TEST_CASE("every form of a line that the AWS CLI takes is read as it reads it") {
  struct Case {
    const char* text;
    std::map<std::string, std::string> values;
  };
  for (const auto& [text, values] : {
           Case{"[a]\nk: v", {{"k", "v"}}},
           Case{"[a]\nk : v\nl:w\nm=x\nn = y", {{"k", "v"}, {"l", "w"}, {"m", "x"}, {"n", "y"}}},
           Case{"[a]\nk:v=w\nl=v:w\nm = http://x:1/\nn: https://y",
                {{"k", "v=w"}, {"l", "v:w"}, {"m", "http://x:1/"}, {"n", "https://y"}}},
           Case{"[a]\nk==v\nl:=v\nm::v", {{"k", "=v"}, {"l", "=v"}, {"m", ":v"}}},
           Case{"[a]\n  k: v\n  l=w", {{"k", "v"}, {"l", "w"}}},
           Case{"  [a]\n  K: v", {{"k", "v"}}},
           Case{"[a]\n\tk:\tv\r\n\tl:\tw\r\n", {{"k", "v"}, {"l", "w"}}},
           Case{"[a] behind\nk: v", {{"k", "v"}}},
           Case{"[a]\n# c: 1\n; c: 2\n  # c: 3\nk: v\n\n\nl: w", {{"k", "v"}, {"l", "w"}}},
           Case{"[a]\nk: v\n  more: v\n\n  still\nl: w", {{"k", "v\nmore: v\nstill"}, {"l", "w"}}},
           Case{"[a]\nk:\nl: w", {{"k", ""}, {"l", "w"}}},
       }) {
    const std::string shown = text;  // Clang 14 captures no structured binding
    CAPTURE(shown);
    CHECK(aws::parse_ini(text, "file").at("a").values == values);
  }
  CHECK(aws::parse_ini("[a]\nnested:\n  x = 1:2\n  y = 3", "file").at("a").nested.at("nested") ==
        std::map<std::string, std::string>{{"x", "1:2"}, {"y", "3"}});
  for (const char* text : {"[a]\nk", "[a]\n= v", "[a]\n: v", "k: v", "[a\nk: v", "[a]\nnested:\n  x: 1"}) {
    CAPTURE(text);
    CHECK_THROWS_AS((void)aws::parse_ini(text, "file"), AuthError);
  }
  const Home home("", "[default]\naws_access_key_id: A\naws_secret_access_key: s/=:\n");
  CHECK(aws::load_credentials(home.with({})).secret_access_key == Secret("s/=:"));
}

TEST_CASE("continued and nested values keep their shape") {
  const auto ini =
      aws::parse_ini("\xEF\xBB\xBF[a]\nlong = one\n   two\nnested =\n  x = 1\n  y = 2 ; two\nlast=3", "file");
  const auto& section = ini.at("a");
  CHECK(section.get("long") == "one\ntwo");
  CHECK(section.nested.at("nested") == std::map<std::string, std::string>{{"x", "1"}, {"y", "2"}});
  CHECK(section.get("last") == "3");
  CHECK_FALSE(section.get("nested").has_value());
}
