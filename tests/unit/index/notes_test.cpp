#include "entrepot/index/notes.hpp"

#include <gmock/gmock.h>

#include <stdexcept>

#include "support/catalog_words.hpp"

namespace entrepot::index::notes_test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class Notes : public Catalog {
 protected:
  std::vector<std::string> keys(std::string_view scope, std::string_view after, std::size_t limit) {
    std::vector<std::string> found;
    for (auto& each : read([&](const View& view) { return notes(view, scope, after, limit); })) {
      found.push_back(each.key + "=" + each.value);
    }
    return found;
  }
};
INSTANTIATE_TEST_SUITE_P(every, Notes, testing::ValuesIn(test::index_kinds()), test::kind_name);

TEST_P(Notes, are_kept_by_scope_and_key_until_erased) {
  write([](Batch& batch) {
    set_note(batch, "rule", "a", "1");
    set_note(batch, "rule", "b", "2");
    set_note(batch, "rule", "b", "3");
    set_note(batch, "rule2", "a", "4");
    set_note(batch, "rul", "ea", "5");
  });
  read([](const View& view) {
    EXPECT_EQ(note(view, "rule", "b"), "3");
    EXPECT_EQ(note(view, "rul", "ea"), "5");
    EXPECT_EQ(note(view, "rule", "c"), std::nullopt);
    EXPECT_EQ(note(view, "", "rule"), std::nullopt);
  });
  EXPECT_THAT(keys("rule", "", 10), ElementsAre("a=1", "b=3"));
  EXPECT_THAT(keys("rule", "", 1), ElementsAre("a=1"));
  EXPECT_THAT(keys("rule", "a", 10), ElementsAre("b=3"));
  EXPECT_THAT(keys("rule", "b", 10), IsEmpty());
  EXPECT_THAT(keys("rule", "", 0), IsEmpty());
  write([](Batch& batch) {
    erase_note(batch, "rule", "a");
    erase_note(batch, "rule", "never");
  });
  EXPECT_THAT(keys("rule", "", 10), ElementsAre("b=3"));
}

// Rows: B-07
TEST_P(Notes, the_longest_key_fits_and_a_longer_one_is_refused) {
  const std::string scope(max_note_scope, 's');
  const std::string key(max_note_key, '\xff');
  write([&](Batch& batch) { set_note(batch, scope, key, "kept"); });
  EXPECT_EQ(read([&](const View& view) { return note(view, scope, key); }), "kept");
  const auto refused = [&](const std::string& a_scope, const std::string& a_key) {
    write([&](Batch& batch) {
      EXPECT_THROW(set_note(batch, a_scope, a_key, ""), std::length_error);
    });
  };
  refused(scope + "s", "k");
  refused("s", key + "k");
  refused(std::string("a\0b", 3), "k");
}

}  // namespace
}  // namespace entrepot::index::notes_test
