// The children of one metric family, found by their label values without a lock.
//
// prometheus::Family::Add takes a mutex and builds two maps at every call. The label values of our
// families are few and never go away, so a child once made is published in an open hash table that
// only grows: looking up is one hash, usually one comparison. Thread-safe.
#pragma once

#include <prometheus/family.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <tuple>

namespace entrepot::base {

template <class Metric, std::size_t N, class... Arguments>
class Labelled {
 public:
  using Values = std::array<std::string_view, N>;

  Labelled(prometheus::Family<Metric>& family, std::array<const char*, N> names,
           Arguments... arguments)
      : family_(family), names_(names), arguments_(std::move(arguments)...) {}

  Metric& at(const Values& values) {
    const auto start = hash(values);
    for (std::size_t step = 0; step < slots; ++step) {
      auto& slot = table_[(start + step) % slots];
      const auto* child = slot.load(std::memory_order_acquire);
      if (child == nullptr) child = fill(slot, values);
      if (matches(*child, values)) return child->metric;
    }
    return add(values);
  }

 private:
  // Far above routes times outcomes times status codes; beyond it children are found slowly.
  static constexpr std::size_t slots = 512;

  struct Child {
    std::array<std::string, N> values;
    Metric& metric;
  };

  static std::size_t hash(const Values& values) {
    std::size_t sum = 0;
    for (const auto value : values) sum = sum * 31 + std::hash<std::string_view>{}(value);
    return sum;
  }

  static bool matches(const Child& child, const Values& values) {
    for (std::size_t i = 0; i < N; ++i) {
      if (child.values[i] != values[i]) return false;
    }
    return true;
  }

  // Another thread may have been quicker: then the slot holds its child, whichever that is.
  const Child* fill(std::atomic<const Child*>& slot, const Values& values) {
    const std::lock_guard lock(mutex_);
    if (const auto* const child = slot.load(std::memory_order_relaxed)) return child;
    std::array<std::string, N> owned;
    for (std::size_t i = 0; i < N; ++i) owned[i] = values[i];
    const auto& child = children_.emplace_back(Child{std::move(owned), add(values)});
    slot.store(&child, std::memory_order_release);
    return &child;
  }

  Metric& add(const Values& values) {
    prometheus::Labels labels;
    for (std::size_t i = 0; i < N; ++i) labels.emplace(names_[i], values[i]);
    return std::apply(
        [&](const auto&... arguments) -> Metric& { return family_.Add(labels, arguments...); },
        arguments_);
  }

  prometheus::Family<Metric>& family_;
  const std::array<const char*, N> names_;
  const std::tuple<Arguments...> arguments_;
  std::array<std::atomic<const Child*>, slots> table_{};
  std::mutex mutex_;  // guards children_ and writing to table_
  std::deque<Child> children_;
};

}  // namespace entrepot::base
