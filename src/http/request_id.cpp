#include "http/request_id.hpp"

#include <atomic>
#include <cstdint>
#include <random>
#include <string_view>

namespace entrepot::http {

namespace {

std::uint64_t random_seed() {
  std::random_device device;
  return static_cast<std::uint64_t>(device()) << 32 | device();
}

// Each thread numbers its own requests; the number of the thread keeps them apart.
std::uint64_t next_number() {
  static std::atomic<std::uint64_t> threads = 0;
  thread_local std::uint64_t number = threads.fetch_add(1) << 48;
  return ++number;
}

// SplitMix64's finalizer: a bijection, so different numbers stay different.
std::uint64_t scramble(std::uint64_t value) {
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9;
  value = (value ^ (value >> 27)) * 0x94d049bb133111eb;
  return value ^ (value >> 31);
}

}  // namespace

std::string next_request_id() {
  static const std::uint64_t seed = random_seed();
  constexpr std::string_view digits = "0123456789abcdef";
  std::uint64_t value = scramble(next_number() + seed);
  std::string id(16, '0');
  for (auto& c : id) {
    c = digits[value & 15];
    value >>= 4;
  }
  return id;
}

}  // namespace entrepot::http
