// A RegistryHouse with upload sessions, and a client's words for them.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "registry_house.hpp"

namespace entrepot::test {

using registry::UploadKey;

class Uploads : public RegistryHouse {
 protected:
  Uploads() { restart(); }

  // As the next run of the daemon would find things.
  void restart() {
    uploads_.reset();
    store_.now(clock_.wall());
    uploads_ = std::make_unique<registry::Uploads>(store_, admission_, leases_, writer_, policy_,
                                                   pool_, clock_, metrics_);
  }
  UploadKey open(std::string_view repository = "app", std::string_view who = "alice",
                 oci::Algorithm algorithm = oci::Algorithm::sha256) {
    store_.now(clock_.wall());
    auto id = run(uploads_->open(name(repository), std::string(who), algorithm));
    return {name(repository), std::string(who), std::move(id)};
  }
  std::optional<Code> refused_open(std::string_view repository, std::string_view who) {
    return refused(uploads_->open(name(repository), std::string(who), oci::Algorithm::sha256));
  }
  std::uint64_t append(const UploadKey& key, std::vector<std::string> pieces,
                       std::optional<std::uint64_t> at = {},
                       std::optional<std::uint64_t> length = {}) {
    Pieces body(std::move(pieces));
    return run(uploads_->append(key, at, length, body.reader()));
  }
  std::optional<oci::Refusal> refused_append(const UploadKey& key, std::vector<std::string> pieces,
                                             std::optional<std::uint64_t> at = {},
                                             std::optional<std::uint64_t> length = {}) {
    Pieces body(std::move(pieces));
    return refusal(uploads_->append(key, at, length, body.reader()));
  }
  void finish(const UploadKey& key, const oci::Digest& digest,
              std::vector<std::string> pieces = {}) {
    Pieces body(std::move(pieces));
    run(uploads_->finish(key, {}, {}, body.reader(), digest, actor("alice")));
  }
  std::optional<Code> refused_finish(const UploadKey& key, const oci::Digest& digest,
                                     std::vector<std::string> pieces = {}) {
    Pieces body(std::move(pieces));
    return refused(uploads_->finish(key, {}, {}, body.reader(), digest, actor("alice")));
  }
  std::optional<std::uint64_t> offset(const UploadKey& key) { return run(uploads_->offset(key)); }
  std::size_t files() {
    std::size_t count = 0;
    store_.uploads([&](const store::BlobStore::UploadFile&) { ++count; });
    return count;
  }
  void limit_uploads(registry::UploadLimits limits) {
    registry::PolicyOptions options;
    options.uploads = limits;
    set_policy(options);
  }

  std::unique_ptr<registry::Uploads> uploads_;
};

inline async::Task<> append_in_background(registry::Uploads& uploads, UploadKey key, Pieces& body,
                                          std::optional<std::uint64_t>& result,
                                          std::optional<std::uint64_t> length = {}) {
  result = co_await uploads.append(std::move(key), {}, length, body.reader());
}

}  // namespace entrepot::test
