#include "upkeep/overlay.hpp"

namespace entrepot::upkeep {

using index::Continue;
using index::Space;

namespace {

// The rows put above the View, in key order, to be mixed into a scan of it.
class Above {
 public:
  Above(const Overlay::Changes& changes, Space space, base::ByteView prefix, base::ByteView after)
      : changes_(changes), space_(space), prefix_(base::as_text(prefix)) {
    const std::string start(base::as_text(after));
    row_ = start < prefix_ || start.empty() ? changes.lower_bound({space, prefix_})
                                            : changes.upper_bound({space, start});
  }

  // Shows what comes before `key`.
  Continue before(std::string_view key, const Overlay::Visit& visit) {
    for (; here() && row_->first.second < key; ++row_) {
      if (show(visit) == Continue::no) return Continue::no;
    }
    return Continue::yes;
  }
  Continue rest(const Overlay::Visit& visit) {
    for (; here(); ++row_) {
      if (show(visit) == Continue::no) return Continue::no;
    }
    return Continue::yes;
  }
  // Whether `key` itself was changed; then it is the next row.
  bool at(std::string_view key) const { return here() && row_->first.second == key; }
  Continue show_next(const Overlay::Visit& visit) {
    const auto answer = show(visit);
    ++row_;
    return answer;
  }

 private:
  bool here() const {
    return row_ != changes_.end() && row_->first.first == space_ &&
           row_->first.second.starts_with(prefix_);
  }
  Continue show(const Overlay::Visit& visit) const {
    if (!row_->second) return Continue::yes;
    return visit(base::as_bytes(row_->first.second), base::as_bytes(*row_->second));
  }

  const Overlay::Changes& changes_;
  const Space space_;
  const std::string prefix_;
  Overlay::Changes::const_iterator row_;
};

}  // namespace

std::optional<base::ByteView> Overlay::get(Space space, base::ByteView key) const {
  const auto changed = changes_.find({space, std::string(base::as_text(key))});
  if (changed == changes_.end()) return below_.get(space, key);
  if (!changed->second) return std::nullopt;
  return base::as_bytes(*changed->second);
}

void Overlay::scan(Space space, base::ByteView prefix, base::ByteView after,
                   const Visit& visit) const {
  Above above(changes_, space, prefix, after);
  bool over = false;
  below_.scan(space, prefix, after, [&](base::ByteView key, base::ByteView value) {
    const auto text = base::as_text(key);
    auto answer = above.before(text, visit);
    if (answer == Continue::yes) {
      answer = above.at(text) ? above.show_next(visit) : visit(key, value);
    }
    over = answer == Continue::no;
    return answer;
  });
  if (!over) above.rest(visit);
}

void Overlay::put(Space space, base::ByteView key, base::ByteView value) {
  changes_.insert_or_assign({space, std::string(base::as_text(key))},
                            std::string(base::as_text(value)));
}

void Overlay::erase(Space space, base::ByteView key) {
  changes_.insert_or_assign({space, std::string(base::as_text(key))}, std::nullopt);
}

}  // namespace entrepot::upkeep
