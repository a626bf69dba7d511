#include "entrepot/registry/writer.hpp"

#include <utility>

#include "entrepot/oci/refusal.hpp"
#include "registry/guard.hpp"

namespace entrepot::registry {

Writer::Writer(index::Index& index, LeaseTable& leases, const PolicySwitch& policy,
               const base::Clock& clock, std::function<bool()> record_events)
    : index_(index),
      leases_(leases),
      policy_(policy),
      clock_(clock),
      record_events_(std::move(record_events)) {}

void Writer::check_writable() const {
  if (policy_.read_only()) {
    throw oci::Refusal(oci::ErrorCode::denied, "registry is read-only");
  }
}

void Writer::check_immutable(const oci::RepositoryName& repository, const oci::Tag& tag) const {
  if (policy_.now()->is_immutable(repository, tag)) {
    throw oci::Refusal(oci::ErrorCode::denied, "tag " + tag.text() + " is immutable");
  }
}

void Writer::tell(index::Batch& batch, index::Event event) const {
  if (!record_events_()) return;
  event.time = clock_.wall();
  index::append_event(batch, std::move(event));
}

async::Task<Mounted> Writer::mount(oci::RepositoryName repository, oci::Digest digest,
                                   std::vector<oci::RepositoryName> from, index::Actor actor) {
  check_writable();
  const auto to = promisee(repository, actor);
  co_await leases_.take(digest, to);
  const auto mounted = co_await write_or_refuse(index_, [&](index::Batch& batch) {
    check_local(batch, repository);
    const auto blob = index::blob(batch, digest);
    if (!blob) return Mounted::no;
    for (const auto& source : from) {
      if (!index::linked(batch, source, digest)) continue;
      if (index::linked(batch, repository, digest)) return Mounted::yes;
      check_quota(batch, repository, blob->size, 0);
      index::link(batch, repository, index::RepositoryKind::local, digest, clock_.wall());
      tell(batch, {.kind = index::EventKind::mount,
                   .repository = repository.text(),
                   .size = blob->size,
                   .digest = digest,
                   .from_repository = source.text(),
                   .actor = actor});
      return Mounted::yes;
    }
    return Mounted::no;
  });
  if (mounted == Mounted::no) leases_.give_back(digest, to);
  co_return mounted;
}

async::Task<std::vector<oci::RepositoryName>> Writer::holders(oci::Digest digest,
                                                              std::size_t limit) {
  co_return co_await index_.read(
      [&](const index::View& view) { return index::linked_in(view, digest, limit); });
}

async::Task<bool> Writer::has_blob(oci::RepositoryName repository, oci::Digest digest) {
  co_return co_await index_.read([&](const index::View& view) {
    return index::linked(view, repository, digest) && index::blob(view, digest).has_value();
  });
}

void Writer::link_blob(index::Batch& batch, const oci::RepositoryName& repository,
                       const oci::Digest& digest, std::uint64_t size,
                       const index::Actor& actor) const {
  check_local(batch, repository);
  if (!index::linked(batch, repository, digest)) {
    check_quota(batch, repository, size, 0);
    index::link(batch, repository, index::RepositoryKind::local, digest, clock_.wall());
  }
  tell(batch, {.kind = index::EventKind::push,
               .repository = repository.text(),
               .media_type = "application/octet-stream",
               .size = size,
               .digest = digest,
               .actor = actor});
}

async::Task<> Writer::check_room(oci::RepositoryName repository, std::optional<oci::Digest> digest,
                                 std::uint64_t size) {
  check_writable();
  co_await index_.read([&](const index::View& view) {
    check_local(view, repository);
    const bool held = digest && index::linked(view, repository, *digest);
    if (!held) check_quota(view, repository, size, 0);
  });
}

}  // namespace entrepot::registry
