// journal.hpp apply_change(): a change made at another site, or here and come back.
#include <stdexcept>

#include "entrepot/index/journal.hpp"
#include "entrepot/index/superseded.hpp"
#include "index/history.hpp"
#include "index/links.hpp"
#include "index/repositories.hpp"
#include "index/standing.hpp"
#include "index/tags.hpp"

namespace entrepot::index {
namespace {

// Of a tag that moves all the time, a change older than all these is known to have been seen.
constexpr std::size_t most_rows = 1000;

// Of what the change is about: a tag or a manifest.
std::string subject_of(const Change& change) {
  if (change.tag) return change.tag->text();
  return (change.to ? *change.to : change.from.value()).text();
}

class Application {
 public:
  Application(Batch& batch, const Change& change, base::WallTime now)
      : batch_(batch),
        change_(change),
        now_(now),
        owner_(ensure_repository(batch, change.repository, RepositoryKind::local)) {
    if (owner_.upstream != UpstreamId::none) {
      throw std::runtime_error(change.repository.text() + " is mirrored here");
    }
  }

  Applied of_tag() {
    const auto& tag = *change_.tag;
    const auto before = tag_record(batch_, owner_.id, tag.text());
    const auto standing = standing_version(batch_, owner_.id, tag.text());
    if (standing && change_.version <= *standing) return lose(*standing);
    require_content();
    const auto from = before ? std::optional(before->digest) : std::nullopt;
    if (change_.to || from) {
      const auto changed = from == change_.to ? before->changed : now_;
      point(batch_, owner_, tag, from,
            change_.to ? std::optional(TagRecord{*change_.to, changed, now_, change_.version})
                       : std::nullopt);
    }
    record(change_.cause, from);
    return from == change_.to ? Applied::held : Applied::done;
  }

  void note() {
    bool noted = false;
    std::size_t rows = 0;
    visit_rows(batch_, owner_.id, subject_of(change_), [&](const JournalRow& known) {
      noted = known.version == change_.version;
      return !noted && ++rows < most_rows ? Continue::yes : Continue::no;
    });
    if (!noted) record(Cause::superseded, change_.from);
  }

  Applied of_manifest() {
    const auto& digest = change_.to ? *change_.to : change_.from.value();
    const auto standing = newest_row(batch_, owner_.id, digest.text());
    if (standing && change_.version <= standing->version) return Applied::held;
    require_content();
    const bool was_linked = linked(batch_, owner_.id, digest);
    if (!change_.to && was_linked) {
      if (!tags_of(batch_, change_.repository, digest, 1).empty()) return lose({});
      unlink(batch_, change_.repository, digest);
    }
    record(change_.cause, change_.from);
    return change_.to || was_linked ? Applied::done : Applied::held;
  }

 private:
  void require_content() const {
    if (!change_.to || linked(batch_, owner_.id, *change_.to)) return;
    throw std::runtime_error(change_.to->text() + " is not in " + change_.repository.text());
  }

  Applied lose(const Version& standing) {
    if (knew(standing)) return Applied::held;
    record(Cause::superseded, change_.from);
    return Applied::conflicted;
  }

  // Whether who made what stands, or what stood here before, had seen this change. What one site
  // does it does knowing all it did.
  bool knew(const Version& standing) const {
    if (standing.site == change_.version.site) return true;
    bool seen = false;
    std::size_t rows = 0;
    visit_rows(batch_, owner_.id, subject_of(change_), [&](const JournalRow& known) {
      seen = known.version == change_.version || (change_.tag && led_to(known));
      return !seen && ++rows < most_rows ? Continue::yes : Continue::no;
    });
    return seen || rows == most_rows;
  }

  bool led_to(const JournalRow& known) const {
    return known.to == change_.to || (change_.to && known.from == change_.to);
  }

  void record(Cause cause, const std::optional<oci::Digest>& from) {
    record_change(batch_, owner_.id,
                  {.sequence = 0,
                   .time = now_,
                   .cause = cause,
                   .repository = change_.repository.text(),
                   .tag = change_.tag ? change_.tag->text() : std::string(),
                   .from = from,
                   .to = change_.to,
                   .who = change_.who,
                   .version = change_.version});
  }

  Batch& batch_;
  const Change& change_;
  const base::WallTime now_;
  const RepositoryRecord owner_;
};

}  // namespace

bool wins(const View& view, const Change& change) {
  const auto id = repository_id(view, change.repository);
  const auto standing =
      id ? standing_version(view, *id, subject_of(change)) : std::optional<Version>();
  return !standing || change.version > *standing;
}

Applied apply_change(Batch& batch, const Change& change, base::WallTime now) {
  Application application(batch, change, now);
  return change.tag ? application.of_tag() : application.of_manifest();
}

void note_superseded(Batch& batch, const Change& change, base::WallTime now) {
  Application(batch, change, now).note();
}

}  // namespace entrepot::index
