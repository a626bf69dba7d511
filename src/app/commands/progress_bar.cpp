#include "app/commands/progress_bar.hpp"

#include <algorithm>
#include <ostream>
#include <string>

#include "app/commands/words.hpp"

namespace entrepot::app::commands {
namespace {

constexpr std::uint64_t width = 40;

std::string amounts(std::uint64_t done, std::uint64_t total) {
  return size_text(done) + " of " + size_text(total);
}

}  // namespace

void ProgressBar::at(std::uint64_t done, std::uint64_t total) {
  if (total == 0) return;
  done = std::min(done, total);
  if (console_.error_is == Terminal::yes) {
    const auto full =
        static_cast<std::size_t>(static_cast<double>(done) / static_cast<double>(total) * width);
    const auto bar = std::string(full, '#') + std::string(width - full, ' ');
    console_.error << "\r\x1b[K[" << bar << "] " << amounts(done, total) << std::flush;
    drawn_ = true;
    return;
  }
  const auto tenths =
      static_cast<std::uint64_t>(static_cast<double>(done) / static_cast<double>(total) * 10);
  if (tenths <= tenths_) return;
  tenths_ = tenths;
  console_.error << tenths * 10 << "%: " << amounts(done, total) << std::endl;
}

void ProgressBar::clear() {
  if (!drawn_) return;
  drawn_ = false;
  console_.error << "\r\x1b[K" << std::flush;
}

}  // namespace entrepot::app::commands
