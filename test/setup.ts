import "./leaks/TemporaryFolder.ts"
import "../src/wire/Polyfill.ts"
