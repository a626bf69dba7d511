// A Batch whose changes stay in memory: what the index would be, were they made. A dry run judges
// on it by the same code as a real one, so both tell the same.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "entrepot/index/index.hpp"

namespace entrepot::upkeep {

// Lives as long as the View below it; the Changes go on to the next.
class Overlay final : public index::Batch {
 public:
  // Absent value: erased.
  using Changes = std::map<std::pair<index::Space, std::string>, std::optional<std::string>>;
  using Visit = std::function<index::Continue(base::ByteView key, base::ByteView value)>;

  Overlay(const index::View& below, Changes& changes) : below_(below), changes_(changes) {}

  std::optional<base::ByteView> get(index::Space space, base::ByteView key) const override;
  void scan(index::Space space, base::ByteView prefix, base::ByteView after,
            const Visit& visit) const override;
  void put(index::Space space, base::ByteView key, base::ByteView value) override;
  void erase(index::Space space, base::ByteView key) override;

 private:
  const index::View& below_;
  Changes& changes_;
};

}  // namespace entrepot::upkeep
