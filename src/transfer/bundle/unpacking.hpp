// The images of a bundle become ours, once all of it is at hand: blobs, then manifests from the
// children up, and when that is done for every image the tags, in their versions; at last what was
// deleted goes.
#pragma once

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "entrepot/async/task.hpp"
#include "entrepot/transfer/bundle.hpp"
#include "transfer/bundle/inventory.hpp"

namespace entrepot::transfer {

class Unpacking {
 public:
  // What came of a tombstone, and why when this registry refused it.
  struct Removed {
    index::Applied applied = index::Applied::held;
    std::string refusal{};
  };

  Unpacking(const BundleIntake::House& house, const Staging& staging, Inventory& inventory,
            index::Actor actor, const BundleListener& listener, ApplyReport& report)
      : house_(house),
        staging_(staging),
        inventory_(inventory),
        actor_(std::move(actor)),
        listener_(listener),
        report_(report) {}

  // False when it was stopped. Throws oci::Refusal (a quota, read-only mode), std::system_error,
  // std::runtime_error with a sentence.
  async::Task<bool> run(const std::vector<ContentLine>& lines);
  // After run(). As the change of another site that it is, so that the later one wins. False, and
  // throws, as run().
  async::Task<bool> remove(const std::vector<RemovalLine>& lines);
  // Anything was not here before.
  bool changed() const { return changed_; }

 private:
  async::Task<> bring(const ContentLine& line, oci::Digest digest, bool root);
  async::Task<> bring_blobs(oci::RepositoryName repository, const oci::Manifest& manifest);
  async::Task<bool> bring_blob(oci::RepositoryName repository, oci::Descriptor listed);
  async::Task<bool> link_held(oci::RepositoryName repository, oci::Descriptor listed);
  async::Task<> admit(oci::RepositoryName repository, oci::Digest digest);
  async::Task<> put(const ContentLine& line, oci::Digest digest, const StagedManifest& manifest);
  async::Task<> set_tag(const ContentLine& line);
  async::Task<> bring_untagged(const ContentLine& line);
  void tell_removal(const RemovalLine& line, const Removed& outcome);
  bool stopped() const { return listener_.stop && listener_.stop(); }

  const BundleIntake::House& house_;
  const Staging& staging_;
  Inventory& inventory_;
  const index::Actor actor_;
  const BundleListener& listener_;
  ApplyReport& report_;
  std::set<std::pair<oci::RepositoryName, oci::Digest>> done_;
  bool changed_ = false;
};

}  // namespace entrepot::transfer
