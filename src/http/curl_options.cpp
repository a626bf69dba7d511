// What every exchange asks of curl. Each line is a decision; curl's defaults serve a command line.
#include <boost/asio/steady_timer.hpp>

#include "entrepot/http/url.hpp"
#include "http/curl_address.hpp"
#include "http/curl_transfer.hpp"

namespace entrepot::http {
namespace {

// Long enough for a full window of a fast upstream in one read; curl hands it on in 16 KiB pieces.
constexpr long read_size = 128 * 1024;
// What is read is let go in such pieces by an exchange that is held back.
constexpr long restrained_read_size = 32 * 1024;

template <class Value>
void set(CURL* easy, CURLoption option, Value value) {
  curl_easy_setopt(easy, option, value);
}

}  // namespace

void CurlTransfer::set_up(const Url& url) {
  set(easy_, CURLOPT_URL, url.text().c_str());
  set(easy_, CURLOPT_PRIVATE, static_cast<CurlDriven*>(this));
  set(easy_, CURLOPT_ERRORBUFFER, message_.data());
  set(easy_, CURLOPT_NOSIGNAL, 1L);
  // Without it, leaving while a name is being resolved waits for the resolver.
  set(easy_, CURLOPT_QUICK_EXIT, 1L);
  set(easy_, CURLOPT_PATH_AS_IS, 1L);
  set(easy_, CURLOPT_BUFFERSIZE, passage_.restrained() ? restrained_read_size : read_size);
  set(easy_, CURLOPT_FOLLOWLOCATION, 0L);
  set(easy_, CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
  set(easy_, CURLOPT_PROTOCOLS_STR, "http,https");
  set(easy_, CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
  set(easy_, CURLOPT_TCP_KEEPALIVE, 1L);
  set(easy_, CURLOPT_TCP_KEEPIDLE, 15L);
  set(easy_, CURLOPT_TCP_KEEPINTVL, 15L);
  set(easy_, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(request_.transport->connect.count()));
  // A paused HTTP/2 stream is not this curl's strength.
  const bool http2 = request_.transport->version == HttpVersion::http2 && !upload_;
  set(easy_, CURLOPT_HTTP_VERSION,
      static_cast<long>(http2 ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_1_1));
  set_method();
  set_headers();
  set_security();
  set_proxy(url);
  set_callbacks();
}

void CurlTransfer::set_method() {
  if (request_.method == "HEAD") {
    set(easy_, CURLOPT_NOBODY, 1L);
    return;
  }
  const auto is = [this](std::string_view method) { return request_.method == method; };
  if (upload_) {
    set_upload();
  } else if (is("POST") || is("PUT") || is("PATCH") || !request_.body.empty()) {
    set(easy_, CURLOPT_POST, 1L);
    set(easy_, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request_.body.size()));
    set(easy_, CURLOPT_POSTFIELDS, request_.body.data());  // not copied: request_ lives as long
  } else {
    set(easy_, CURLOPT_HTTPGET, 1L);
  }
  if (upload_ || is("PUT") || is("PATCH") || is("DELETE")) {
    set(easy_, CURLOPT_CUSTOMREQUEST, request_.method.c_str());
  }
}

void CurlTransfer::set_upload() {
  set(easy_, CURLOPT_UPLOAD, 1L);
  set(easy_, CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(upload_->length()));
  set(easy_, CURLOPT_READFUNCTION, &CurlTransfer::on_read);
  set(easy_, CURLOPT_READDATA, static_cast<void*>(this));
  set(easy_, CURLOPT_SEEKFUNCTION, &CurlTransfer::on_seek);
  set(easy_, CURLOPT_SEEKDATA, static_cast<void*>(this));
}

void CurlTransfer::set_headers() {
  const auto append = [this](const std::string& line) {
    header_list_ = curl_slist_append(header_list_, line.c_str());
  };
  for (const auto& [name, value] : request_.headers.fields())
    append(value.empty() ? name + ";" : std::string(name).append(": ").append(value));
  // An empty value takes out what curl would add of its own.
  for (const auto* name : {"Accept", "Content-Type", "Expect"}) {
    if (!request_.headers.get(name)) append(std::string(name) + ":");
  }
  set(easy_, CURLOPT_HTTPHEADER, header_list_);
  // Ours are for the server, never for a proxy on the way.
  set(easy_, CURLOPT_HEADEROPT, static_cast<long>(CURLHEADER_SEPARATE));
}

void CurlTransfer::set_security() {
  const auto& transport = *request_.transport;
  set(easy_, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  set(easy_, CURLOPT_PROXY_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  set(easy_, CURLOPT_SSL_VERIFYPEER, 1L);
  set(easy_, CURLOPT_SSL_VERIFYHOST, 2L);
  if (!transport.ca_file.empty()) {
    // Beside the system's directory of authorities (CAPATH as built in), not in its place:
    // redirects lead to public hosts too.
    set(easy_, CURLOPT_CAINFO, transport.ca_file.c_str());
    set(easy_, CURLOPT_PROXY_CAINFO, transport.ca_file.c_str());
  } else {
    // The system's bundle alone: only without a directory does the multi handle keep the parsed
    // authorities (about 140) from one connection to the next.
    constexpr const char* none = nullptr;
    set(easy_, CURLOPT_CAPATH, none);
    set(easy_, CURLOPT_PROXY_CAPATH, none);
  }
  if (!transport.client_certificate.empty())
    set(easy_, CURLOPT_SSLCERT, transport.client_certificate.c_str());
  if (!transport.client_key.empty()) set(easy_, CURLOPT_SSLKEY, transport.client_key.c_str());
}

// Decided here and not by curl, which would look at the environment, and would not tell us whether
// the address it connects to is the proxy's.
void CurlTransfer::set_proxy(const Url& url) {
  const auto& transport = *request_.transport;
  proxied_ = !transport.proxy.empty() && transport.unix_socket.empty() &&
             way_to(url.host, transport.no_proxy) == Way::by_proxy;
  set(easy_, CURLOPT_PROXY, proxied_ ? transport.proxy.c_str() : "");
  set(easy_, CURLOPT_NOPROXY, "");
  set(easy_, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  if (!transport.unix_socket.empty()) {
    set(easy_, CURLOPT_UNIX_SOCKET_PATH, transport.unix_socket.c_str());
  }
}

void CurlTransfer::set_callbacks() {
  set(easy_, CURLOPT_HEADERFUNCTION, &CurlTransfer::on_header);
  set(easy_, CURLOPT_HEADERDATA, static_cast<void*>(this));
  set(easy_, CURLOPT_WRITEFUNCTION, &CurlTransfer::on_body);
  set(easy_, CURLOPT_WRITEDATA, static_cast<void*>(this));
  set(easy_, CURLOPT_PREREQFUNCTION, &CurlTransfer::on_connected);
  set(easy_, CURLOPT_PREREQDATA, static_cast<void*>(this));
  set(easy_, CURLOPT_OPENSOCKETFUNCTION, &CurlTransfer::on_open);
  set(easy_, CURLOPT_OPENSOCKETDATA, static_cast<void*>(this));
  // A connection outlives the transfer that opened it, never the multi handle.
  set(easy_, CURLOPT_CLOSESOCKETFUNCTION, &CurlMulti::close_socket);
  set(easy_, CURLOPT_CLOSESOCKETDATA, static_cast<void*>(multi_.get()));
}

}  // namespace entrepot::http
