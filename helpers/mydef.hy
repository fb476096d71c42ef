"A macro for functions whose arguments carry their documentation: the Hy half of documented.py."

(import helpers.documented [docstring])


(defmacro mydef [name arguments #* body]
  "Define the function `name`, each of its `arguments` written [argument \"what it is\"].

  An argument is whatever `defn` takes: a symbol, [symbol default], #^ type symbol, #* or #**
  symbol. A bare / or * separates them, as in `defn`. A string that leads the body heads the
  docstring.

  A pair of a symbol and a string is always an argument and its description: [name \"World\"]
  describes `name`, and a default that is a string is written [[name \"World\"] \"whom to greet\"]."
  (setv summary (when (and (> (len body) 1) (isinstance (get body 0) hy.models.String))
                  (str (get body 0)))
        pairs (lfor item arguments (if (in item '[/ *]) [item None] (documented-pair name item)))
        texts (dfor [argument text] pairs :if text  (argument-label argument) (str text))
        typed (any (gfor [argument _] pairs (has-type argument))))
  `(defn [(.with-arguments (hy.I "helpers.documented") ~texts)] ~name
     [~@(lfor [argument _] pairs argument)]
     ~(if typed summary (docstring summary texts))  ; types: with-arguments writes the section
     ~@(or (if summary (cut body 1 None) body) '[None])))


(defn documented-pair [function pair]
  "`pair`, if it is an argument and a text that describes it."
  (when (not (and (isinstance pair hy.models.Sequence) (= (len pair) 2)
                  (isinstance (get pair 1) hy.models.String) (get pair 1)))
    (raise (ValueError (.format "mydef {}: {} is not documented; write [argument \"what it is\"]"
                                function (cut (hy.repr pair) 1 None)))))
  pair)


(defn argument-label [argument]
  "The name of an argument, as Python spells it, with its stars but without default and type."
  (cond
    (isinstance argument hy.models.Symbol)
      (hy.mangle argument)
    (and (isinstance argument hy.models.List) argument)  ; [symbol default]
      (argument-label (get argument 0))
    (has-type argument)
      (argument-label (get argument 1))
    (and (is-form argument) (in (get argument 0) STARS))
      (+ (get STARS (get argument 0)) (argument-label (get argument 1)))
    True
      (raise (ValueError (.format "mydef: {} is not an argument"
                                  (cut (hy.repr argument) 1 None))))))


(defn has-type [argument]
  "Whether an argument is written #^ type argument."
  (and (is-form argument) (= (get argument 0) 'annotate)))


(defn is-form [argument]
  (and (isinstance argument hy.models.Expression) (> (len argument) 1)))


(setv STARS {'unpack-iterable "*"  'unpack-mapping "**"})  ; #* and #**
