// The terminal (or what stands in its place) of whoever typed a command.
#pragma once

#include <iosfwd>

namespace entrepot::app {

enum class Terminal { no, yes };

// Streams that outlive every command. A daemon never uses them: it logs.
struct Console {
  std::ostream& out;
  std::ostream& error;
  std::istream& in;
  Terminal in_is = Terminal::no;
  Terminal error_is = Terminal::no;
};

}  // namespace entrepot::app
