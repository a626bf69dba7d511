// What the operator allows in local repositories, beside who may do it. Values; the app makes them,
// Writer and Uploads ask them.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "entrepot/base/glob.hpp"
#include "entrepot/base/published.hpp"
#include "entrepot/oci/name.hpp"

namespace entrepot::registry {

// Whether a manifest may list what is not here.
enum class MissingContent { refuse, allow_children, allow };
enum class Deletion { allowed, refused };

struct ImmutableTags {
  std::vector<std::string> repositories;  // globs
  std::vector<std::string> tags;          // globs
};

// Over the sum of all repositories that match.
struct Quota {
  std::vector<std::string> repositories;  // globs
  std::optional<std::uint64_t> bytes{};   // of distinct blobs and manifests, counted per repository
  std::optional<std::uint64_t> tags{};
  std::optional<std::size_t> uploads{};  // sessions open at once
};

struct UploadLimits {
  std::chrono::milliseconds expire{std::chrono::hours(24)};  // since the last byte
  std::size_t per_principal = 100;
  std::size_t total = 10'000;
};

struct PolicyOptions {
  MissingContent missing = MissingContent::refuse;
  Deletion deletion = Deletion::allowed;
  std::vector<ImmutableTags> immutable;
  std::vector<Quota> quotas;
  UploadLimits uploads;
};

// The options with their patterns compiled. Immutable.
class Policy {
 public:
  // Throws std::invalid_argument naming the pattern that cannot be read.
  explicit Policy(PolicyOptions options);
  ~Policy();

  const PolicyOptions& options() const { return options_; }
  bool is_immutable(const oci::RepositoryName& repository, const oci::Tag& tag) const;
  // The quotas that count `repository`, as positions in options().quotas.
  std::vector<std::size_t> quotas_of(const oci::RepositoryName& repository) const;
  bool counts(std::size_t quota, const oci::RepositoryName& repository) const;

 private:
  struct Compiled;
  PolicyOptions options_;
  std::unique_ptr<const Compiled> compiled_;
};

// The Policy of this moment, and the read-only switch. Thread-safe: replaced while running.
class PolicySwitch {
 public:
  explicit PolicySwitch(std::shared_ptr<const Policy> policy) : policy_(std::move(policy)) {}

  std::shared_ptr<const Policy> now() const { return policy_.now(); }
  void replace(std::shared_ptr<const Policy> policy) { policy_.replace(std::move(policy)); }

  bool read_only() const { return read_only_.load(std::memory_order_relaxed); }
  void set_read_only(bool on) { read_only_.store(on); }

 private:
  base::Published<Policy> policy_;
  std::atomic<bool> read_only_ = false;
};

}  // namespace entrepot::registry
