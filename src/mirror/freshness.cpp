#include "mirror/freshness.hpp"

namespace entrepot::mirror {

namespace {
// Steps of the clock that a time server makes all day.
constexpr base::Milliseconds clock_slack{5'000};
}  // namespace

Step decide(const FreshnessRule& rule, Asking asking, Pin pin, base::Milliseconds age) {
  if (asking == Asking::never) return Step::answer_offline;
  if (pin == Pin::pinned) return Step::answer_pinned;
  if (age < -clock_slack) return Step::ask;
  if (age < rule.fresh) return Step::answer;
  if (age - rule.fresh < rule.stale_while_revalidate) return Step::answer_and_refresh;
  return Step::ask;
}

IfError if_error(const FreshnessRule& rule, base::Milliseconds age) {
  if (rule.stale_if_error <= base::Milliseconds::zero()) return IfError::fail;
  return age <= rule.stale_if_error ? IfError::serve_stale : IfError::fail;
}

}  // namespace entrepot::mirror
