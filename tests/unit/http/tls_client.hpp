// Certificates made on the spot, and a client that speaks TLS over a RawClient's socket.
#pragma once

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <fstream>

#include "support/temp_dir.hpp"
#include "unit/http/loopback.hpp"

namespace entrepot::http {

// A key and a certificate, as files.
struct KeyPair {
  std::filesystem::path certificate;
  std::filesystem::path key;
};

// Issues certificates into a directory of its own; its own certificate is `ca()`.
class Authority {
 public:
  Authority() : key_(EVP_EC_gen("P-256"), EVP_PKEY_free) {
    own_ = certify(key_.get(), {"an authority"}, key_.get(), nullptr);
    write_certificate(ca(), own_.get());
  }

  std::filesystem::path ca() const { return dir_.path() / "ca.pem"; }
  const std::filesystem::path& dir() const { return dir_.path(); }

  KeyPair issue(const std::string& file, const std::vector<std::string>& common_names) const {
    const Key key(EVP_EC_gen("P-256"), EVP_PKEY_free);
    const auto certificate = certify(key.get(), common_names, key_.get(), own_.get());
    KeyPair pair{dir_.path() / (file + ".pem"), dir_.path() / (file + ".key")};
    write_certificate(pair.certificate, certificate.get());
    FILE* out = std::fopen(pair.key.c_str(), "w");
    EXPECT_EQ(PEM_write_PrivateKey(out, key.get(), nullptr, nullptr, 0, nullptr, nullptr), 1);
    std::fclose(out);
    return pair;
  }

 private:
  using Key = std::shared_ptr<EVP_PKEY>;
  using Certificate = std::shared_ptr<X509>;

  static Certificate certify(EVP_PKEY* key, const std::vector<std::string>& names, EVP_PKEY* signer,
                             X509* issuer) {
    static std::atomic<long> serial = 1;
    Certificate made(X509_new(), X509_free);
    X509_set_version(made.get(), 2);
    ASN1_INTEGER_set(X509_get_serialNumber(made.get()), serial++);
    X509_gmtime_adj(X509_getm_notBefore(made.get()), -3600);
    X509_gmtime_adj(X509_getm_notAfter(made.get()), 3600);
    X509_set_pubkey(made.get(), key);
    for (const auto& name : names) {
      X509_NAME_add_entry_by_NID(X509_get_subject_name(made.get()), NID_commonName, MBSTRING_UTF8,
                                 reinterpret_cast<const unsigned char*>(name.data()),
                                 static_cast<int>(name.size()), -1, 0);
    }
    X509_set_issuer_name(made.get(), X509_get_subject_name(issuer ? issuer : made.get()));
    if (issuer == nullptr) {
      X509_EXTENSION* is_ca =
          X509V3_EXT_conf_nid(nullptr, nullptr, NID_basic_constraints, "critical,CA:TRUE");
      X509_add_ext(made.get(), is_ca, -1);
      X509_EXTENSION_free(is_ca);
    }
    X509_sign(made.get(), signer, EVP_sha256());
    return made;
  }

  static void write_certificate(const std::filesystem::path& path, X509* certificate) {
    FILE* out = std::fopen(path.c_str(), "w");
    EXPECT_EQ(PEM_write_X509(out, certificate), 1);
    std::fclose(out);
  }

  test::TempDir dir_;
  Key key_;
  Certificate own_;
};

struct TlsWishes {
  std::optional<KeyPair> present = {};
  int lowest = TLS1_2_VERSION;
  int highest = TLS1_3_VERSION;
  std::string protocols = {};  // as in ALPN
  SSL_SESSION* resume = nullptr;
};

class TlsClient {
 public:
  explicit TlsClient(const Loopback& server, const TlsWishes& wishes = {})
      : raw_(server), context_(SSL_CTX_new(TLS_client_method()), SSL_CTX_free) {
    SSL_CTX_set_min_proto_version(context_.get(), wishes.lowest);
    SSL_CTX_set_max_proto_version(context_.get(), wishes.highest);
    // Old versions exist only where nobody asks for security.
    if (wishes.highest < TLS1_2_VERSION) SSL_CTX_set_security_level(context_.get(), 0);
    if (wishes.present) {
      SSL_CTX_use_certificate_file(context_.get(), wishes.present->certificate.c_str(),
                                   SSL_FILETYPE_PEM);
      SSL_CTX_use_PrivateKey_file(context_.get(), wishes.present->key.c_str(), SSL_FILETYPE_PEM);
    }
    ssl_ = {SSL_new(context_.get()), SSL_free};
    if (!wishes.protocols.empty()) {
      SSL_set_alpn_protos(ssl_.get(),
                          reinterpret_cast<const unsigned char*>(wishes.protocols.data()),
                          static_cast<unsigned>(wishes.protocols.size()));
    }
    if (wishes.resume != nullptr) SSL_set_session(ssl_.get(), wishes.resume);
    SSL_set_fd(ssl_.get(), raw_.fd());
    connected_ = SSL_connect(ssl_.get()) == 1;
    ERR_clear_error();
  }

  bool connected() const { return connected_; }
  SSL* ssl() const { return ssl_.get(); }
  RawClient& raw() { return raw_; }

  bool send(std::string_view bytes) {
    if (bytes.empty()) return true;
    std::size_t size = 0;
    return SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), &size) == 1;
  }

  // Reads up to `least` bytes more; false when the connection ended before.
  bool receive_some(std::size_t least) {
    while (buffer_.size() < least) {
      if (!fill()) return false;
    }
    return true;
  }
  // The status line and headers, then the body; empty when the connection ended before its end.
  std::string receive_body() {
    while (!buffer_.contains("\r\n\r\n")) {
      if (!fill()) return {};
    }
    const auto end = buffer_.find("\r\n\r\n") + 4;
    constexpr std::string_view field = "Content-Length: ";
    const auto length = std::stoul(buffer_.substr(buffer_.find(field) + field.size()));
    if (!receive_some(end + length)) return {};
    auto body = buffer_.substr(end, length);
    buffer_.erase(0, end + length);
    return body;
  }
  // What arrives until the end, which is `clean` when the server said so.
  std::string receive_all(bool& clean) {
    while (fill()) {
    }
    clean = clean_;
    return std::exchange(buffer_, {});
  }
  // The server's certificate's common name.
  std::string server_name() const {
    std::array<char, 64> name{};
    X509_NAME_get_text_by_NID(X509_get_subject_name(SSL_get0_peer_certificate(ssl_.get())),
                              NID_commonName, name.data(), name.size());
    return name.data();
  }

 private:
  bool fill() {
    char bytes[65536];
    std::size_t size = 0;
    const int result = SSL_read_ex(ssl_.get(), bytes, sizeof bytes, &size);
    if (result == 1) {
      buffer_.append(bytes, size);
      return true;
    }
    clean_ = SSL_get_error(ssl_.get(), result) == SSL_ERROR_ZERO_RETURN;
    ERR_clear_error();
    return false;
  }

  RawClient raw_;
  std::shared_ptr<SSL_CTX> context_;
  std::shared_ptr<SSL> ssl_;
  std::string buffer_;
  bool connected_ = false;
  bool clean_ = false;
};

}  // namespace entrepot::http
