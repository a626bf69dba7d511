#include "http/certificate_name.hpp"

#include <openssl/x509v3.h>

#include <algorithm>
#include <memory>

namespace entrepot::http {

namespace {

constexpr std::size_t longest_name = 256;

bool is_printable(std::string_view text) {
  return std::ranges::none_of(text, [](char c) { return (c >= 0 && c < ' ') || c == '\x7f'; });
}

std::string utf8(const ASN1_STRING* string) {
  unsigned char* bytes = nullptr;
  const int size = ASN1_STRING_to_UTF8(&bytes, string);
  if (size < 0) return {};
  std::string text(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size));
  OPENSSL_free(bytes);
  return text;
}

}  // namespace

std::string certificate_name(const SSL* ssl) {
  const auto* certificate = SSL_get0_peer_certificate(ssl);
  if (certificate == nullptr || SSL_get_verify_result(ssl) != X509_V_OK) return {};
  const auto* subject = X509_get_subject_name(certificate);
  const int first = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
  if (first < 0 || X509_NAME_get_index_by_NID(subject, NID_commonName, first) >= 0) return {};
  auto name = utf8(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, first)));
  return name.size() <= longest_name && is_printable(name) ? name : std::string();
}

}  // namespace entrepot::http
