#include "index/records.hpp"

#include <gtest/gtest.h>

#include <functional>

#include "index/codec.hpp"
#include "index/event_record.hpp"
#include "support/catalog_words.hpp"

namespace entrepot::index::records_test {
namespace {

oci::Descriptor descriptor() { return {"application/x", sha512("d"), 1ULL << 40}; }

Event full_event() {
  return {.sequence = 0,
          .time = at(9),
          .kind = EventKind::mount,
          .repository = "team/app",
          .media_type = "application/x",
          .size = 1ULL << 40,
          .digest = sha512("d"),
          .tag = "v1",
          .from = sha256("f"),
          .from_repository = "team/base",
          .actor = {"alice", "192.0.2.1:9", "r1", "PUT", "registry", "docker/27", "https://r"}};
}

struct Kind {
  std::string name;
  std::string bytes;
  std::function<bool(base::ByteView)> decodes;
};

std::vector<Kind> kinds() {
  const Referrer referrer{descriptor(), "type", {{"a", "1"}, {"b", ""}}};
  const JournalRow row{0,           at(-5),       Cause::push, "repo",          "tag",
                       sha256("f"), std::nullopt, "alice",     {at(-6), "site"}};
  return {
      {"tag", encode(TagRecord{sha256("x"), at(1), at(2), {at(3), "site"}}),
       [](base::ByteView b) { return decode_tag(b).has_value(); }},
      {"blob", encode(BlobRecord{9, at(3)}),
       [](base::ByteView b) { return decode_blob(b).has_value(); }},
      {"totals", encode(BlobTotals{1, 2}),
       [](base::ByteView b) { return decode_blob_totals(b).has_value(); }},
      {"repository", encode(RepositoryRecord{RepositoryId{7}, UpstreamId{2}}),
       [](base::ByteView b) { return decode_repository(b).has_value(); }},
      {"manifest", encode(StoredManifest{"type", "{}"}),
       [](base::ByteView b) { return decode_manifest(b).has_value(); }},
      {"edges",
       encode(std::vector{edge(oci::EdgeKind::layer, sha256("l")),
                          edge(oci::EdgeKind::manifest, sha512("m"))}),
       [](base::ByteView b) { return decode_edges(b).has_value(); }},
      {"referrer", encode(referrer),
       [](base::ByteView b) { return decode_referrer(b).has_value(); }},
      {"journal", encode(row), [](base::ByteView b) { return decode_journal_row(b).has_value(); }},
      {"link", encode(LinkRecord{at(4), 5}),
       [](base::ByteView b) { return decode_link(b).has_value(); }},
      {"usage", encode(Usage{1, 2, 3}),
       [](base::ByteView b) { return decode_usage(b).has_value(); }},
      {"time", encode_time(at(-1)), [](base::ByteView b) { return decode_time(b).has_value(); }},
      {"event", encode(full_event()), [](base::ByteView b) { return decode_event(b).has_value(); }},
      {"number", encode_number(5), [](base::ByteView b) { return decode_number(b).has_value(); }},
      {"digest", encode_digest(sha256("x")),
       [](base::ByteView b) { return decode_digest(b).has_value(); }},
  };
}

TEST(Records, whole_ones_decode_and_cut_or_lengthened_ones_do_not) {
  for (const auto& kind : kinds()) {
    EXPECT_TRUE(kind.decodes(base::as_bytes(kind.bytes))) << kind.name;
    for (std::size_t size = 0; size < kind.bytes.size(); ++size) {
      // A copy of exactly this size: AddressSanitizer sees a read past its end.
      const std::vector<char> cut(kind.bytes.begin(),
                                  kind.bytes.begin() + static_cast<std::ptrdiff_t>(size));
      EXPECT_FALSE(kind.decodes(std::as_bytes(std::span(cut)))) << kind.name << " " << size;
    }
    EXPECT_FALSE(kind.decodes(base::as_bytes(kind.bytes + '\0'))) << kind.name;
  }
}

TEST(Records, damaged_ones_never_lead_outside) {
  for (const auto& kind : kinds()) {
    for (std::size_t at = 0; at < kind.bytes.size(); ++at) {
      for (int value = 0; value < 256; ++value) {
        auto damaged = std::vector<char>(kind.bytes.begin(), kind.bytes.end());
        damaged[at] = static_cast<char>(value);
        kind.decodes(std::as_bytes(std::span(damaged)));
      }
    }
  }
}

TEST(Records, another_version_is_not_ours) {
  for (auto kind : kinds()) {
    for (const char version : {'\0', '\4', 'x'}) {
      kind.bytes[0] = version;
      EXPECT_FALSE(kind.decodes(base::as_bytes(kind.bytes))) << kind.name;
    }
  }
}

void expect_same(const JournalRow& a, const JournalRow& b) {
  EXPECT_EQ(a.time, b.time);
  EXPECT_EQ(a.cause, b.cause);
  EXPECT_EQ(a.repository, b.repository);
  EXPECT_EQ(a.tag, b.tag);
  EXPECT_EQ(a.from, b.from);
  EXPECT_EQ(a.to, b.to);
  EXPECT_EQ(a.who, b.who);
  EXPECT_EQ(a.version, b.version);
}

TEST(Records, journal_rows_come_back_as_they_were) {
  const JournalRow row{0,           at(-5),  Cause::adoption, "repo", "tag", std::nullopt,
                       sha512("t"), "alice", {at(8), "site"}};
  const auto bytes = encode(row);
  const auto back = decode_journal_row(base::as_bytes(bytes));
  ASSERT_TRUE(back);
  expect_same(*back, row);
}

// Rows: D-12
TEST(Records, journal_rows_of_schema_1_name_nobody) {
  const auto bytes = RecordWriter(1)
                         .time(at(7))
                         .number(static_cast<std::uint8_t>(Cause::mirror))
                         .text("repo")
                         .text("tag")
                         .optional_digest(sha256("f"))
                         .optional_digest(std::nullopt)
                         .take();
  const auto back = decode_journal_row(base::as_bytes(bytes));
  ASSERT_TRUE(back);
  expect_same(*back,
              {0, at(7), Cause::mirror, "repo", "tag", sha256("f"), std::nullopt, "", {at(7), ""}});
  EXPECT_FALSE(decode_journal_row(base::as_bytes(bytes + "more")));
}

TEST(Records, events_come_back_as_they_were) {
  const auto event = full_event();
  const auto back = decode_event(base::as_bytes(encode(event)));
  ASSERT_TRUE(back);
  EXPECT_EQ(encode(*back), encode(event));
  EXPECT_EQ(back->kind, EventKind::mount);
  EXPECT_EQ(back->from_repository, "team/base");
  EXPECT_EQ(back->actor.address, "192.0.2.1:9");
  EXPECT_EQ(back->actor.origin, "https://r");
  EXPECT_TRUE(decode_event(base::as_bytes(encode(Event{}))));
}

}  // namespace
}  // namespace entrepot::index::records_test
