// The native unit tests' entry: doctest's own main. Each test file stands beside this one.
#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>
