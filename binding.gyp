# What is shipped: node-gyp and prebuildify build it from here. native/CMakeLists.txt builds the
# same sources for tests, sanitizers, fuzzers and clang-tidy.
{ "includes": ["addon.gypi"] }
