import "../src/wire/Polyfill.ts"
