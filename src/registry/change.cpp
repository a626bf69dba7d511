// Writer: a change made at another site.
#include <utility>

#include "entrepot/registry/writer.hpp"
#include "registry/guard.hpp"

namespace entrepot::registry {

index::Applied Writer::apply(index::Batch& batch, const index::Change& change,
                             const index::Actor& actor) const {
  check_writable();
  check_local(batch, change.repository);
  std::optional<oci::Digest> before;
  if (change.tag) {
    const auto record = index::tag(batch, change.repository, *change.tag);
    if (record) before = record->digest;
  }
  if (index::wins(batch, change)) {
    check_clock(change.version, clock_.wall());
    check_change(batch, change, before);
  }
  const auto applied = index::apply_change(batch, change, clock_.wall());
  if (applied == index::Applied::done) tell_of_change(batch, change, before, actor);
  return applied;
}

void Writer::check_change(const index::View& view, const index::Change& change,
                          const std::optional<oci::Digest>& before) const {
  // Where there is nothing to delete, its tombstone does no harm.
  const bool there = change.tag
                         ? before.has_value()
                         : change.from && index::linked(view, change.repository, *change.from);
  if (!change.to && there) check_deletion();
  if (!change.tag) {
    if (!change.to) check_not_kept(view, *policy_.now(), change.repository, change.from.value());
    return;
  }
  if (before && before != change.to) check_immutable(change.repository, *change.tag);
  if (!before && change.to) check_quota(view, change.repository, 0, 1);
}

// Of a manifest that was put nothing is told: its content was told of when it came.
void Writer::tell_of_change(index::Batch& batch, const index::Change& change,
                            const std::optional<oci::Digest>& before,
                            const index::Actor& actor) const {
  if (!change.tag && change.to) return;
  index::Event event{.kind = change.to ? index::EventKind::push : index::EventKind::removal,
                     .repository = change.repository.text(),
                     .digest = change.to ? change.to : (change.tag ? before : change.from),
                     .tag = change.tag ? change.tag->text() : std::string(),
                     .actor = actor};
  if (event.digest) {
    if (const auto info = index::manifest_info(batch, *event.digest)) {
      event.media_type = info->media_type;
      event.size = info->size;
    }
  }
  tell(batch, event);
  if (!change.to || !before) return;
  event.kind = index::EventKind::tag_moved;
  event.from = before;
  tell(batch, std::move(event));
}

}  // namespace entrepot::registry
