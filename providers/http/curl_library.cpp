#include "providers/http/curl_library.hpp"

#include <dlfcn.h>
#include <fmt/format.h>

#include "providers/error.hpp"

namespace litedesk::http {

namespace {

constexpr const char* library_name = "libcurl.so.4";
constexpr unsigned oldest_version = 0x075800;  // 7.88.0

[[noreturn]] void fail(std::string cause) {
  throw Failed({.message = fmt::format("cannot load {}, which every network request needs", library_name),
                .hint = "install the package libcurl4 (7.88 or newer, with OpenSSL)",
                .resource = {},
                .cause = std::move(cause)});
}

std::string last_error() {
  const char* text = dlerror();
  return text == nullptr ? "" : text;
}

template <class Function>
void find(void* library, const char* name, Function& function) {
  // POSIX lets dlsym's result be used as a function.
  function = reinterpret_cast<Function>(dlsym(library, name));
  if (function == nullptr) fail(last_error());
}

CurlLibrary load() {
  void* library = dlopen(library_name, RTLD_LAZY | RTLD_LOCAL);
  if (library == nullptr) fail(last_error());
  CurlLibrary curl{};
  find(library, "curl_global_init", curl.global_init);
  find(library, "curl_version_info", curl.version_info);
  find(library, "curl_easy_init", curl.easy_init);
  find(library, "curl_easy_cleanup", curl.easy_cleanup);
  find(library, "curl_easy_reset", curl.easy_reset);
  find(library, "curl_easy_setopt", curl.easy_setopt);
  find(library, "curl_easy_getinfo", curl.easy_getinfo);
  find(library, "curl_easy_strerror", curl.easy_strerror);
  find(library, "curl_slist_append", curl.slist_append);
  find(library, "curl_slist_free_all", curl.slist_free_all);
  find(library, "curl_multi_init", curl.multi_init);
  find(library, "curl_multi_cleanup", curl.multi_cleanup);
  find(library, "curl_multi_setopt", curl.multi_setopt);
  find(library, "curl_multi_add_handle", curl.multi_add_handle);
  find(library, "curl_multi_remove_handle", curl.multi_remove_handle);
  find(library, "curl_multi_perform", curl.multi_perform);
  find(library, "curl_multi_poll", curl.multi_poll);
  find(library, "curl_multi_wakeup", curl.multi_wakeup);
  find(library, "curl_multi_info_read", curl.multi_info_read);
  find(library, "curl_multi_strerror", curl.multi_strerror);

  if (const CURLcode code = curl.global_init(CURL_GLOBAL_ALL); code != CURLE_OK) fail(curl.easy_strerror(code));
  const auto* version = curl.version_info(CURLVERSION_NOW);
  if (version->version_num < oldest_version) fail(fmt::format("it is version {}", version->version));
  return curl;
}

}  // namespace

const CurlLibrary& curl_library() {
  static const CurlLibrary library = load();
  return library;
}

}  // namespace litedesk::http
