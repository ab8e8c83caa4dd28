rule index:
    # once, before hundreds of jobs would each do it
    input:
        config["genome"],
    output:
        touch(f"{RESULTS}/.index.done"),
    log:
        f"{RESULTS}/logs/index.log",
    conda:
        "../envs/saresnet.yaml"
    shell:
        "python -c 'import sys, saresnet_cli; saresnet_cli.Genome(sys.argv[1])' {input:q} > {log:q} 2>&1"


rule scan:
    input:
        genome=config["genome"],
        index=rules.index.output,
        regions=config["regions"] or [],
        model=model_file,
    output:
        temp(f"{RESULTS}/shards/{{model}}/{{shard}}.{SUFFIX}"),
    log:
        f"{RESULTS}/logs/{{model}}/{{shard}}.log",
    params:
        model=lambda wildcards: MODELS[wildcards.model],
        shards=config["shards"],
        stride=config["stride"],
        extra=config["extra"],
    threads: config["threads"]
    retries: config["retries"]
    resources:
        # measured: 150 MB, whatever the genome; more where a genome has millions of sequences
        mem_mb=lambda wildcards, attempt: 1000 * attempt,
        runtime=lambda wildcards, attempt: 120 * attempt,
    conda:
        "../envs/saresnet.yaml"
    shell:
        "saresnet scan {input.genome:q} {input.regions:q} --model {params.model:q} --stride {params.stride} {params.extra}"
        " --shard {wildcards.shard}/{params.shards} --device cpu --threads {threads} --resume -o {output:q} 2> {log:q}"


rule gather:
    # BGZF files one after another are BGZF
    input:
        expand(f"{RESULTS}/shards/{{{{model}}}}/{{shard}}.{SUFFIX}", shard=SHARDS),
    output:
        f"{RESULTS}/{{model}}.{SUFFIX}",
    log:
        f"{RESULTS}/logs/{{model}}/gather.log",
    conda:
        "../envs/saresnet.yaml"
    script:
        "../scripts/gather.py"
