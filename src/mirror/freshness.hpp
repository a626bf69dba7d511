// When a held tag may be answered without asking, and when it must be asked about (design.md
// "Freshness of a mirrored tag"). Pure.
#pragma once

#include "entrepot/mirror/mirror.hpp"

namespace entrepot::mirror {

enum class Pin { loose, pinned };

enum class Step {
  answer,              // within its time to live
  answer_pinned,       // never asked about again
  answer_offline,      // nothing is ever asked
  answer_and_refresh,  // stale, refreshed behind
  ask,                 // upstream must confirm it first
};

// `age`: since upstream last confirmed the tag, by the wall clock. Negative when the clock was set
// back meanwhile: then nobody knows the age, and upstream is asked.
Step decide(const FreshnessRule& rule, Asking asking, Pin pin, base::Milliseconds age);

enum class IfError { fail, serve_stale };
// What becomes of a held tag that upstream could not be asked about.
IfError if_error(const FreshnessRule& rule, base::Milliseconds age);

}  // namespace entrepot::mirror
