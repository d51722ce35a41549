// What the tests of this room share: a transport that answers from a script, a folder that goes away, certificates made
// on the spot.
#pragma once

#include <cstdlib>
#include <deque>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "providers/error.hpp"
#include "providers/http/transport.hpp"
#include "providers/kubernetes/kubeconfig.hpp"
#include "providers/system/hash.hpp"

namespace litedesk::kubernetes::test {

struct Answer {
  int status = 200;
  std::string body;
  std::string content_type = "application/json";
  http::Headers headers;
  std::vector<std::string> chunks;  // of a stream
  std::exception_ptr error;         // thrown instead, or after the chunks of a stream
  bool repeated_after_loss = false;
};

inline Answer json(int status, std::string body) {
  Answer answer;
  answer.status = status;
  answer.body = std::move(body);
  return answer;
}
inline Answer text(int status, std::string body, std::string content_type = "text/plain; charset=utf-8") {
  auto answer = json(status, std::move(body));
  answer.content_type = std::move(content_type);
  return answer;
}
// What an API server answers for a group that it does not serve.
inline Answer unserved() {
  auto answer = text(404, "404 page not found\n");
  answer.headers = {{"Audit-Id", "4d61acdb-8c0d-4d14-9f9c-bc718239352f"}};
  return answer;
}
inline Answer stream(std::vector<std::string> chunks) {
  Answer answer;
  answer.chunks = std::move(chunks);
  return answer;
}
template <class E>
Answer lost(E error) {
  Answer answer;
  answer.error = std::make_exception_ptr(std::move(error));
  return answer;
}
inline std::string status_body(int code, const std::string& reason, const std::string& message,
                               const std::string& more = {}) {
  return R"({"kind":"Status","apiVersion":"v1","status":"Failure","code":)" + std::to_string(code) + R"(,"reason":")" +
         reason + R"(","message":")" + message + "\"" + more + "}";
}

// Gives the answers in order, whatever is asked, and keeps what was asked.
class FakeTransport : public http::Transport {
 public:
  std::deque<Answer> answers;
  std::vector<http::Request> requests;
  std::function<void(const http::Request&)> on_request;

  http::Response send(http::Request request, std::stop_token) override {
    const auto answer = next(std::move(request));
    if (answer.error) std::rethrow_exception(answer.error);
    return to_response(answer);
  }
  std::vector<http::Result> send_all(std::vector<http::Request> all, std::stop_token) override {
    std::vector<http::Result> results;
    for (auto& request : all) {
      const auto answer = next(std::move(request));
      if (answer.error) {
        results.emplace_back(answer.error);
      } else {
        results.emplace_back(to_response(answer));
      }
    }
    return results;
  }
  http::Response stream(http::Request request, const http::ChunkHandler& on_chunk, std::chrono::milliseconds,
                        std::stop_token) override {
    const auto answer = next(std::move(request));
    if (answer.status < 300)
      for (const auto& chunk : answer.chunks)
        if (!on_chunk(chunk)) return to_response(answer);
    if (answer.error) std::rethrow_exception(answer.error);
    return to_response(answer);
  }

 private:
  Answer next(http::Request request) {
    requests.push_back(std::move(request));
    if (on_request) on_request(requests.back());
    if (answers.empty()) throw Failed("the script has no answer to " + requests.back().summary);
    auto answer = std::move(answers.front());
    answers.pop_front();
    return answer;
  }
  static http::Response to_response(const Answer& answer) {
    http::Response response;
    response.status = answer.status;
    response.headers = answer.headers;
    if (!answer.content_type.empty()) response.headers.push_back({"Content-Type", answer.content_type});
    response.body = answer.body;
    response.repeated_after_loss = answer.repeated_after_loss;
    return response;
  }
};

class Folder {
 public:
  Folder() {
    std::string form = (std::filesystem::temp_directory_path() / "litedesk-kubernetes-XXXXXX").string();
    if (mkdtemp(form.data()) == nullptr) throw std::runtime_error("mkdtemp");
    path_ = form;
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  [[nodiscard]] std::string operator/(const std::string& name) const { return (path_ / name).string(); }
  std::string write(const std::string& name, const std::string& content) const {
    const auto file = path_ / name;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file) << content;
    return file.string();
  }

 private:
  std::filesystem::path path_;
};

struct KeyPair {
  std::string certificate;
  std::string key;
};

// A self-signed certificate that is valid from and until so many seconds from now.
inline KeyPair make_certificate(long from, long until) {
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(EVP_EC_gen("P-256"), EVP_PKEY_free);
  const std::unique_ptr<X509, decltype(&X509_free)> certificate(X509_new(), X509_free);
  X509_set_version(certificate.get(), 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), from);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), until);
  X509_set_pubkey(certificate.get(), key.get());
  X509_sign(certificate.get(), key.get(), EVP_sha256());
  const auto text_of = [](const std::function<void(BIO*)>& write) {
    const std::unique_ptr<BIO, decltype(&BIO_free)> bio(BIO_new(BIO_s_mem()), BIO_free);
    write(bio.get());
    char* data = nullptr;
    const auto size = BIO_get_mem_data(bio.get(), &data);
    return std::string(data, static_cast<std::size_t>(size));
  };
  return {text_of([&](BIO* bio) { PEM_write_bio_X509(bio, certificate.get()); }),
          text_of([&](BIO* bio) { PEM_write_bio_PrivateKey(bio, key.get(), nullptr, nullptr, 0, nullptr, nullptr); })};
}

// Runs `action` and gives the Error that it throws: its what, hint and code are what is looked at.
template <class E, class Action>
E error_of(const Action& action) {
  try {
    action();
  } catch (const E& error) {
    return error;
  }
  throw std::logic_error("nothing was thrown");
}

inline bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

inline std::string header(const http::Request& request, const std::string& name) {
  return std::string(http::find(request.headers, name));
}

inline ClusterConfig cluster_with_token() {
  ClusterConfig config;
  config.server = "https://api.example:6443";
  config.context = "production";
  config.origin = "/home/me/.kube/config";
  config.name_space = "default";
  config.token = Secret("s3cret-token");
  return config;
}

}  // namespace litedesk::kubernetes::test
