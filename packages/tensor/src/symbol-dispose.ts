// `using` needs Symbol.dispose, which Node has since 18.18 but some current browsers still lack.
(Symbol as { dispose?: symbol }).dispose ??= Symbol.for("Symbol.dispose");

export {};
