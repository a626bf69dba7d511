#include "notify/subscription.hpp"

#include <gtest/gtest.h>

#include "unit/notify/events.hpp"

namespace entrepot::notify::subscription_test {
namespace {

using index::EventKind;

Receiver receiver(std::set<EventKind> events, std::vector<std::string> repositories) {
  Receiver made;
  made.name = "ci";
  made.events = std::move(events);
  made.repositories = std::move(repositories);
  return made;
}

TEST(Subscription, wants_what_it_names) {
  const Subscription pushes(receiver({EventKind::push}, {}));
  EXPECT_TRUE(pushes.wants(EventKind::push));
  EXPECT_TRUE(pushes.wants(EventKind::mount));
  EXPECT_FALSE(pushes.wants(EventKind::pull));
  EXPECT_FALSE(pushes.wants(EventKind::tag_moved));
  const Subscription mounts(receiver({EventKind::mount}, {}));
  EXPECT_TRUE(mounts.wants(EventKind::mount));
  EXPECT_FALSE(mounts.wants(EventKind::push));
}

TEST(Subscription, wants_repositories_by_pattern) {
  const Subscription team(receiver({EventKind::push}, {"team/**"}));
  EXPECT_TRUE(team.wants(event_of(EventKind::push, "team/app", "v1")));
  EXPECT_FALSE(team.wants(event_of(EventKind::push, "other/app", "v1")));
  EXPECT_FALSE(team.wants(event_of(EventKind::pull, "team/app", "v1")));
}

TEST(Subscription, lets_events_grow_too_old) {
  auto kept = receiver({EventKind::push}, {});
  kept.keep = std::chrono::hours(1);
  const Subscription subscription(std::move(kept));
  const base::WallTime then{std::chrono::hours(1000)};
  const auto event = event_of(EventKind::push, "app", "v1", then);
  EXPECT_FALSE(subscription.expired(event, then + std::chrono::hours(1)));
  EXPECT_TRUE(subscription.expired(event, then + std::chrono::hours(2)));
}

}  // namespace
}  // namespace entrepot::notify::subscription_test
