#include "index/migration.hpp"

#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "entrepot/index/journal.hpp"
#include "index/history.hpp"
#include "index/links.hpp"
#include "index/records.hpp"
#include "index/repositories.hpp"
#include "index/standing.hpp"
#include "index/usage.hpp"

namespace entrepot::index {
namespace {

struct Row {
  std::string key;
  std::string value;
};

// A visit must not write, so rows are copied out, some at a time.
std::vector<Row> rows_behind(const Batch& batch, Space space, std::string_view after) {
  constexpr std::size_t slice = 1000;
  std::vector<Row> rows;
  batch.scan(space, {}, base::as_bytes(after), [&](base::ByteView key, base::ByteView value) {
    rows.push_back({std::string(base::as_text(key)), std::string(base::as_text(value))});
    return rows.size() < slice ? Continue::yes : Continue::no;
  });
  return rows;
}

template <class Visit>
void for_each_row(const Batch& batch, Space space, Visit visit) {
  for (auto rows = rows_behind(batch, space, {}); !rows.empty();
       rows = rows_behind(batch, space, rows.back().key)) {
    for (const auto& row : rows) visit(base::as_bytes(row.key), base::as_bytes(row.value));
  }
}

class ToSchema2 {
 public:
  ToSchema2(Batch& batch, base::WallTime now) : batch_(batch), now_(now) {}

  void run() {
    for_each_row(batch_, Space::repositories, [this](base::ByteView, base::ByteView value) {
      const auto record = intact(decode_repository(value), "repository");
      counted_.emplace(record.id, Counted{record, {}});
    });
    for_each_row(batch_, Space::links, [this](auto key, auto) { date_link(key); });
    for_each_row(batch_, Space::tags, [this](auto key, auto value) { turn_tag(key, value); });
    for_each_row(batch_, Space::journal, [this](auto key, auto value) { keep(key, value); });
    for_each_row(batch_, Space::referrers, [this](auto key, auto) { turn_referrer(key); });
    for (const auto& [id, one] : counted_) put_usage(batch_, one.repository, one.usage);
  }

 private:
  struct Counted {
    RepositoryRecord repository;
    Usage usage;
  };

  Usage& usage_in(base::ByteView key) {
    const auto found = counted_.find(intact(repository_in_key(key, 0), "key"));
    if (found == counted_.end()) throw_damaged("repository");
    return found->second.usage;
  }

  void date_link(base::ByteView key) {
    const auto digest = intact(digest_in_key(key, sizeof(RepositoryId)), "link");
    const auto size = content_size(batch_, digest).value_or(0);
    batch_.put(Space::links, key, base::as_bytes(encode(LinkRecord{.since = now_, .size = size})));
    auto& usage = usage_in(key);
    usage.links += 1;
    usage.bytes += size;
  }

  void turn_tag(base::ByteView key, base::ByteView value) {
    const auto id = intact(repository_in_key(key, 0), "tag");
    const auto digest = intact(decode_tag(value), "tag").digest;
    const auto tag = base::as_text(key.subspan(sizeof(RepositoryId)));
    batch_.put(Space::tagged, Key().repository(id).digest(digest).text(tag), {});
    usage_in(key).tags += 1;
  }

  void keep(base::ByteView key, base::ByteView value) {
    auto row = intact(decode_journal_row(value), "journal");
    row.sequence = intact(number_in_key(key, 0), "journal");
    const auto name = oci::RepositoryName::parse(row.repository);
    const auto id = name ? repository_id(batch_, *name) : std::nullopt;
    if (id) put_history(batch_, *id, row);
  }

  void turn_referrer(base::ByteView key) {
    const auto subject = intact(digest_in_key(key, 0), "referrer");
    const auto referrer = intact(digest_in_key(key, key_size(subject)), "referrer");
    batch_.put(Space::subjects, Key().digest(referrer), base::as_bytes(encode_digest(subject)));
  }

  Batch& batch_;
  const base::WallTime now_;
  std::unordered_map<RepositoryId, Counted> counted_;
};

void sum_up(Batch& batch) {
  for_each_row(batch, Space::repositories, [&](base::ByteView name, base::ByteView value) {
    const auto record = intact(decode_repository(value), "repository");
    const auto usage = usage_of(batch, record);
    if (!usage || record.upstream != UpstreamId::none) return;
    change_sums(batch, base::as_text(name),
                {.bytes = static_cast<std::int64_t>(usage->bytes),
                 .links = static_cast<std::int64_t>(usage->links),
                 .tags = static_cast<std::int64_t>(usage->tags)});
  });
}

class ToSchema4 {
 public:
  explicit ToSchema4(Batch& batch) : batch_(batch) { found_site(batch); }

  void run() {
    for_each_row(batch_, Space::journal, [this](auto key, auto value) { sign(key, value); });
    for_each_row(batch_, Space::tags, [this](auto key, auto value) { sign_tag(key, value); });
    note_gap_before(newest_change(batch_) + 1);
    if (dropped_ > 0) put_meta_number(batch_, dropped_journal_row, dropped_);
  }

 private:
  // As it would have been given, had there been versions: above that of the row before.
  void sign(base::ByteView key, base::ByteView value) {
    auto row = intact(decode_journal_row(value), "journal");
    row.sequence = intact(number_in_key(key, 0), "journal");
    note_gap_before(row.sequence);
    last_ = row.sequence;
    const auto name = oci::RepositoryName::parse(row.repository);
    const auto id = name ? repository_id(batch_, *name) : std::nullopt;
    const auto before = id ? row_before(batch_, *id, row.tag, row.sequence) : std::nullopt;
    row.version =
        version_above(batch_, before ? std::optional(before->version) : std::nullopt, row.time);
    batch_.put(Space::journal, key, base::as_bytes(encode(row)));
  }

  void sign_tag(base::ByteView key, base::ByteView value) {
    const auto id = intact(repository_in_key(key, 0), "tag");
    auto record = intact(decode_tag(value), "tag");
    const auto row = newest_row(batch_, id, base::as_text(key.subspan(sizeof(RepositoryId))));
    record.version = row ? row->version : version_above(batch_, std::nullopt, record.changed);
    batch_.put(Space::tags, key, base::as_bytes(encode(record)));
  }

  void note_gap_before(std::uint64_t sequence) {
    if (sequence > last_ + 1) dropped_ = sequence - 1;
  }

  Batch& batch_;
  std::uint64_t last_ = 0;
  std::uint64_t dropped_ = 0;
};

}  // namespace

void migrate(Batch& batch, base::WallTime now) {
  const auto schema = meta_number(batch, schema_row);
  if (schema < 2) ToSchema2(batch, now).run();
  if (schema < 3) sum_up(batch);
  ToSchema4(batch).run();
  put_meta_number(batch, schema_row, our_schema);
}

}  // namespace entrepot::index
