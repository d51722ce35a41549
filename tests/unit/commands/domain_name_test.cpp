#include "commands/domain_name.hpp"

#include <string>

#include <doctest/doctest.h>

using namespace litedesk;

TEST_CASE("What is wrong with a domain name is said, and what is right is taken") {
  struct Case {
    std::string domain;
    const char* fault;
  };
  const std::string label63(63, 'a');
  for (const auto& [domain, fault] : {Case{"a.net", ""},
                                      Case{"litedesk.com", ""},
                                      Case{"a-b.c1.example", ""},
                                      Case{"xn--bcher-kva.example", ""},
                                      Case{"1.example", ""},
                                      Case{label63 + ".net", ""},
                                      Case{label63 + "a.net", "more than 63"},
                                      Case{"net", "no dot"},
                                      Case{"", "empty"},
                                      Case{".", "empty"},
                                      Case{"a..net", "empty"},
                                      Case{".a.net", "empty"},
                                      Case{"a.net.", "empty"},
                                      Case{"-a.net", "begins or ends with '-'"},
                                      Case{"a-.net", "begins or ends with '-'"},
                                      Case{"a.-net", "begins or ends with '-'"},
                                      Case{"a_b.net", "'_'"},
                                      Case{"a b.net", "' '"},
                                      Case{"*.a.net", "'*'"},
                                      Case{"192.0.2.1", "ends with a number"},
                                      Case{"a.256", "ends with a number"},
                                      Case{"b\xC3\xBC"
                                           "cher.example",
                                           "xn--"},
                                      Case{label63 + "." + label63 + "." + label63 + "." + label63, "more than 253"}}) {
    const std::string shown = domain;  // Clang 14 captures no structured binding
    CAPTURE(shown);
    const std::string told = fault_of_domain(domain);
    CAPTURE(told);
    CHECK(told.empty() == std::string_view(fault).empty());
    CHECK(told.find(fault) != std::string::npos);
  }
  CHECK(fault_of_domain("b\xC3\xBC"
                        "cher.example",
                        Letters::any)
            .empty());
}

TEST_CASE("Capitals and the dot of the root make no other name") {
  CHECK(normal_domain("LiteDesk.COM.") == "litedesk.com");
  CHECK(normal_domain("a..") == "a.");
  CHECK(normal_domain("").empty());
}

TEST_CASE("Addresses are told from names") {
  for (const char* address : {"192.0.2.1", "2001:db8::1", "::1"}) CHECK(is_ip_address(address));
  for (const char* other : {"256.1.1.1", "192.0.2", "192.0.2.01", "a.net", "", "[::1]"})
    CHECK_FALSE(is_ip_address(other));
}
