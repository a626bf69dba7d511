#include "entrepot/index/events.hpp"

#include <gmock/gmock.h>

#include "support/catalog_words.hpp"

namespace entrepot::index::events_test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class Events : public Catalog {
 protected:
  void add(int count) {
    write([&](Batch& batch) {
      for (int i = 0; i < count; ++i) {
        append_event(batch, {.sequence = 999, .kind = EventKind::pull, .repository = "app"});
      }
    });
  }
  std::vector<std::uint64_t> sequences(std::uint64_t since, std::size_t limit) {
    std::vector<std::uint64_t> found;
    for (const auto& event : read([&](const View& view) { return events(view, since, limit); })) {
      found.push_back(event.sequence);
    }
    return found;
  }
};
INSTANTIATE_TEST_SUITE_P(every, Events, testing::ValuesIn(test::index_kinds()), test::kind_name);

TEST_P(Events, are_numbered_in_their_order_and_read_in_pages) {
  EXPECT_EQ(read(last_event), 0U);
  EXPECT_THAT(sequences(0, 9), IsEmpty());
  add(3);
  add(2);
  EXPECT_EQ(read(last_event), 5U);
  EXPECT_THAT(sequences(0, 9), ElementsAre(1U, 2U, 3U, 4U, 5U));
  EXPECT_THAT(sequences(2, 2), ElementsAre(3U, 4U));
  EXPECT_THAT(sequences(5, 9), IsEmpty());
  EXPECT_THAT(sequences(0, 0), IsEmpty());
}

TEST_P(Events, are_dropped_up_to_a_number_some_at_a_time) {
  add(5);
  const auto drop = [&](std::uint64_t sequence, std::size_t limit) {
    return write([&](Batch& batch) { return drop_events(batch, sequence, limit); });
  };
  EXPECT_EQ(drop(4, 3), 3U);
  EXPECT_EQ(drop(4, 3), 1U);
  EXPECT_EQ(drop(4, 3), 0U);
  EXPECT_EQ(drop(9, 0), 0U);
  EXPECT_THAT(sequences(0, 9), ElementsAre(5U));
  EXPECT_EQ(drop(9, 9), 1U);
  add(1);
  EXPECT_THAT(sequences(0, 9), ElementsAre(6U)) << "numbers are not used again";
}

TEST_P(Events, one_that_is_not_committed_was_not) {
  EXPECT_THROW(write([](Batch& batch) {
                 append_event(batch, {.repository = "app"});
                 throw std::logic_error("no");
               }),
               std::logic_error);
  EXPECT_EQ(read(last_event), 0U);
}

TEST_P(Events, receivers_have_places_of_their_own) {
  const auto position = [&](const std::string& name) {
    return read([&](const View& view) { return receiver_position(view, name); });
  };
  write([](Batch& batch) {
    set_receiver_position(batch, "ci", 7);
    set_receiver_position(batch, "ci2", 9);
  });
  EXPECT_EQ(position("ci"), 7U);
  EXPECT_EQ(position("ci2"), 9U);
  EXPECT_EQ(position("c"), 0U);
  write([](Batch& batch) { set_receiver_position(batch, "ci", 8); });
  EXPECT_EQ(position("ci"), 8U);
}

}  // namespace
}  // namespace entrepot::index::events_test
