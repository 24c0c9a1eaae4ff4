# How node-gyp builds the addon. Apart from binding.gyp, since npm compiles every installed package
# that has one of that name: the package carries this, and scripts/build-addon.mjs puts the other
# beside it for as long as it builds.
{
  "targets": [
    {
      "target_name": "flintap",
      "sources": [
        "<!@(node -p \"const s = JSON.parse(fs.readFileSync('native/sources.json')); [...s.core, ...s.addon].map((f) => 'native/' + f).join(' ')\")"
      ],
      "include_dirs": ["native"],
      "defines": ["NAPI_VERSION=9", "NODE_ADDON_API_CPP_EXCEPTIONS_ALL", "NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS"],
      "cflags_cc!": ["-fno-exceptions", "-fno-rtti", "-std=gnu++17", "-std=gnu++20"],
      "cflags_cc": [
        "-std=c++20",
        "-fexceptions",
        "-fvisibility=hidden",
        "-Wall",
        "-Wextra",
        "-Wconversion",
        "-Wshadow",
        # Not an include_dirs entry: as a system directory it is spared our warnings.
        "-isystem <!(node -p \"path.resolve(require('node-addon-api').include_dir)\")"
      ]
    }
  ]
}
