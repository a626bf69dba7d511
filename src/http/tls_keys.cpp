#include "http/tls_keys.hpp"

#include "entrepot/base/log.hpp"
#include "http/tls_context.hpp"

namespace entrepot::http {

namespace {

FileStamp stamp_of(const std::filesystem::path& file) {
  struct stat found{};
  if (file.empty() || ::stat(file.c_str(), &found) != 0) return {};
  return {static_cast<std::int64_t>(found.st_dev), static_cast<std::int64_t>(found.st_ino),
          found.st_size, found.st_mtim.tv_sec, found.st_mtim.tv_nsec};
}

}  // namespace

std::shared_ptr<SSL_CTX> TlsKeys::State::current() {
  const std::lock_guard lock(mutex);
  return context;
}

TlsKeys::State::Stamps TlsKeys::State::look() const {
  return {stamp_of(options.certificate), stamp_of(options.key), stamp_of(options.client_ca)};
}

void TlsKeys::State::load() {
  const std::lock_guard one_at_a_time(loading);
  // Before the files are read: a change meanwhile is seen by the next look.
  const auto seen = look();
  {
    const std::lock_guard lock(mutex);
    stamps = seen;
  }
  auto made = make_tls_context(options);
  const std::lock_guard lock(mutex);
  context = std::move(made);
}

TlsKeys::TlsKeys(TlsOptions options) : state_(std::make_shared<State>(std::move(options))) {
  state_->load();
}

TlsKeys::~TlsKeys() = default;

void TlsKeys::reload() { state_->load(); }

bool TlsKeys::reload_if_changed() {
  const auto seen = state_->look();
  {
    const std::lock_guard lock(state_->mutex);
    if (seen == state_->stamps) return true;
  }
  try {
    state_->load();
  } catch (const std::exception& e) {
    base::log::error("certificate not changed", {{"error", e.what()}});
    return false;
  }
  base::log::info("certificate changed", {{"file", state_->options.certificate.string()}});
  return true;
}

}  // namespace entrepot::http
