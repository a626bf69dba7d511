// What TlsKeys holds: the context new connections get, and how the files looked when it was made.
#pragma once

#include <openssl/ssl.h>
#include <sys/stat.h>

#include <array>
#include <mutex>

#include "entrepot/http/server.hpp"

namespace entrepot::http {

// Device, inode, size and time of change of a file; zeros when it is not there.
using FileStamp = std::array<std::int64_t, 5>;

struct TlsKeys::State {
  using Stamps = std::array<FileStamp, 3>;

  explicit State(TlsOptions o) : options(std::move(o)) {}

  std::shared_ptr<SSL_CTX> current();
  void load();
  Stamps look() const;

  const TlsOptions options;
  std::mutex loading;  // held while files are read, so that the last to look is the last to set
  std::mutex mutex;    // guards what follows
  std::shared_ptr<SSL_CTX> context;
  Stamps stamps{};  // of the last attempt
};

}  // namespace entrepot::http
