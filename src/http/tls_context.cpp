#include "http/tls_context.hpp"

#include <openssl/err.h>

#include <new>
#include <stdexcept>
#include <string_view>
#include <system_error>

namespace entrepot::http {

namespace {

constexpr const char* cipher_suites = "ECDHE+AESGCM:ECDHE+CHACHA20";
// So much is read from the socket at once when there is that much.
constexpr std::size_t read_ahead_bytes = 64 * 1024;
constexpr std::string_view session_context = "entrepot";
// As in ALPN: one name and its length.
constexpr std::string_view only_protocol = "\x08http/1.1";

[[noreturn]] void refuse(std::string_view what, const std::filesystem::path& file) {
  const auto why = take_tls_error();
  throw std::runtime_error(std::string(what).append(" ").append(file.string()).append(": ") + why);
}

// We would have to ask somebody for it.
int no_passphrase(char*, int, int, void*) { return -1; }

int choose_protocol(SSL*, const unsigned char** chosen, unsigned char* length,
                    const unsigned char* offered, unsigned offered_length, void*) {
  unsigned char* found = nullptr;
  const auto* ours = reinterpret_cast<const unsigned char*>(only_protocol.data());
  const int result =
      SSL_select_next_proto(&found, length, ours, only_protocol.size(), offered, offered_length);
  *chosen = found;
  return result == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

void set_protocol(SSL_CTX* context) {
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_cipher_list(context, cipher_suites);
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                   SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
  SSL_CTX_set_alpn_select_cb(context, choose_protocol, nullptr);
  // Sessions are resumed by tickets: nothing is kept here for clients that may never return.
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(context, 1);
  SSL_CTX_set_session_id_context(context,
                                 reinterpret_cast<const unsigned char*>(session_context.data()),
                                 session_context.size());
}

// An idle connection should hold no buffers.
void set_memory(SSL_CTX* context) {
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_read_ahead(context, 1);
  SSL_CTX_set_default_read_buffer_len(context, read_ahead_bytes);
}

void load_keys(SSL_CTX* context, const TlsOptions& options) {
  SSL_CTX_set_default_passwd_cb(context, no_passphrase);
  if (SSL_CTX_use_certificate_chain_file(context, options.certificate.c_str()) != 1) {
    refuse("cannot use the certificate", options.certificate);
  }
  const bool read =
      SSL_CTX_use_PrivateKey_file(context, options.key.c_str(), SSL_FILETYPE_PEM) == 1;
  const auto reason = ERR_GET_REASON(ERR_peek_last_error());
  if (!read && reason != X509_R_KEY_VALUES_MISMATCH) refuse("cannot use the key", options.key);
  if (read && SSL_CTX_check_private_key(context) == 1) return;
  ERR_clear_error();
  throw std::runtime_error("the key " + options.key.string() +
                           " does not belong to the certificate " + options.certificate.string());
}

void load_authorities(SSL_CTX* context, const TlsOptions& options) {
  if (options.client_ca.empty()) return;
  auto* names = SSL_load_client_CA_file(options.client_ca.c_str());
  if (names == nullptr || SSL_CTX_load_verify_file(context, options.client_ca.c_str()) != 1) {
    sk_X509_NAME_pop_free(names, X509_NAME_free);
    refuse("cannot use the authorities of clients", options.client_ca);
  }
  SSL_CTX_set_client_CA_list(context, names);
  const bool must = options.clients == TlsOptions::Clients::must_present;
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | (must ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0),
                     nullptr);
}

}  // namespace

std::shared_ptr<SSL_CTX> make_tls_context(const TlsOptions& options) {
  ERR_clear_error();
  const std::shared_ptr<SSL_CTX> context(SSL_CTX_new(TLS_server_method()), SSL_CTX_free);
  if (context == nullptr) throw std::bad_alloc();
  set_protocol(context.get());
  set_memory(context.get());
  load_keys(context.get(), options);
  load_authorities(context.get(), options);
  return context;
}

std::string take_tls_error() {
  const auto error = ERR_peek_error();
  ERR_clear_error();
  if (error == 0) return {};
  if (ERR_SYSTEM_ERROR(error)) return std::generic_category().message(ERR_GET_REASON(error));
  const char* reason = ERR_reason_error_string(error);
  return reason != nullptr ? reason : "unknown TLS error";
}

}  // namespace entrepot::http
